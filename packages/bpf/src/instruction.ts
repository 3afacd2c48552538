/**
 * Instructions and their eight bytes: u16 code, u8 jt, u8 jf, u32 k.
 *
 * The order within the fields is the target's own; every architecture here is little endian.
 * include/uapi/linux/filter.h, struct sock_filter.
 */
import { FilterError } from './filter-error.js';
import { showValue } from './show-value.js';

export interface Instruction {
  readonly code: number;
  /** How many instructions to skip if the test holds, 0 to 255. */
  readonly jt: number;
  /** How many to skip if it does not. */
  readonly jf: number;
  readonly k: number;
}

/** A filter as this package makes it; {@link Program} is what its functions take. */
export interface Filter {
  readonly instructions: readonly Instruction[];
  /** Eight bytes an instruction, little endian: what `bwrap --seccomp FD` and struct sock_fprog want. */
  readonly bytes: Uint8Array;
  /** Instructions, not bytes. */
  readonly length: number;
}

export type Program = Filter | readonly Instruction[] | Uint8Array;

export const INSTRUCTION_SIZE = 8;

/**
 * The bytes of a program.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID for a field that its bits cannot hold: nothing wraps
 */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, jt, jf, k }] of instructions.entries()) {
    if (!fits(code, 0xffff) || !fits(jt, 0xff) || !fits(jf, 0xff) || !fits(k, 0xffffffff)) {
      throw new FilterError('ERR_SANDLOCK_FILTER_INVALID',
        `{ code: ${code}, jt: ${jt}, jf: ${jf}, k: ${k} } does not fit into u16, u8, u8 and u32.`,
        { path: `instructions[${i}]` });
    }
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, true);
  }
  return bytes;
}

/**
 * The instructions in bytes of any origin. Nothing is judged but their number: see validateProgram().
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_BYTES
 */
export function parseProgram(bytes: Uint8Array): Instruction[] {
  if (bytes.byteLength === 0 || bytes.byteLength % INSTRUCTION_SIZE !== 0) {
    throw new FilterError('ERR_SANDLOCK_FILTER_BYTES',
      `${bytes.byteLength} bytes are no program: an instruction has 8 bytes, and a program at least one.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / INSTRUCTION_SIZE }, (_, i) => ({
    code: view.getUint16(i * 8, true),
    jt: view.getUint8(i * 8 + 2),
    jf: view.getUint8(i * 8 + 3),
    k: view.getUint32(i * 8 + 4, true),
  }));
}

/** @throws {FilterError} ERR_SANDLOCK_FILTER_BYTES, or ERR_SANDLOCK_FILTER_DESCRIPTION for what is no program at all */
export function instructionsOf(program: Program): readonly Instruction[] {
  // Not instanceof: a Uint8Array of another realm is one as well.
  if (ArrayBuffer.isView(program)) return parseProgram(program);
  const given: unknown = typeof program === 'object' && program !== null && 'instructions' in program ? program.instructions : program;
  if (!Array.isArray(given) || given.some((one) => typeof one !== 'object' || one === null)) {
    throw new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION',
      `${showValue(program)} is no program: pass a filter, its bytes, or a list of { code, jt, jf, k }.`);
  }
  return given as readonly Instruction[];
}

export function makeFilter(instructions: readonly Instruction[]): Filter {
  return { instructions, bytes: encodeInstructions(instructions), length: instructions.length };
}

function fits(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
