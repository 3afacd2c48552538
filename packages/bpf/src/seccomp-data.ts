/**
 * What a filter sees of a system call: 64 bytes, which a filter can only read as aligned 32-bit words.
 *
 * All architectures with a table here are little endian, so of a 64-bit field the low word comes first.
 * include/uapi/linux/seccomp.h, struct seccomp_data.
 */
import { AUDIT_ARCH, isArch } from './architectures.js';
import { FilterError } from './filter-error.js';
import { showValue } from './show-value.js';
import { type Arch } from './tables/syscall-table.js';

export interface SeccompData {
  /** The number; for x32 with bit 30. -1 is what a tracer leaves to skip a call. */
  readonly nr: number;
  /** An architecture, or any audit number. */
  readonly arch: Arch | number;
  readonly instructionPointer?: number | bigint;
  /** Six registers; missing ones are 0. */
  readonly args?: readonly (number | bigint)[];
}

export const SECCOMP_DATA_SIZE = 64;
export const SECCOMP_DATA_WORDS = 16;
export const NR_OFFSET = 0;
export const ARCH_OFFSET = 4;

export const argLowOffset = (index: number): number => 16 + 8 * index;
export const argHighOffset = (index: number): number => 20 + 8 * index;

/**
 * The sixteen words of a seccomp_data, as a filter loads them.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_ARGUMENT for more than six arguments or a value that does not fit
 */
export function seccompDataWords(data: SeccompData, words = new Uint32Array(SECCOMP_DATA_WORDS)): Uint32Array {
  words.fill(0);
  words[0] = wordOf(data.nr, 'nr');
  words[1] = typeof data.arch === 'string' ? auditArchOf(data.arch) : wordOf(data.arch, 'arch');
  if (data.instructionPointer !== undefined) put64(words, 2, data.instructionPointer, 'instructionPointer');
  const args = data.args ?? [];
  if (args.length > 6) throw notData('args', `${args.length} arguments given; a system call has six.`);
  for (const [i, value] of args.entries()) put64(words, 4 + 2 * i, value, `args[${i}]`);
  return words;
}

function auditArchOf(arch: string): number {
  if (isArch(arch)) return AUDIT_ARCH[arch];
  throw new FilterError('ERR_SANDLOCK_FILTER_ARCH', `${showValue(arch)} is no architecture known here.`, { path: 'arch' });
}

/** A register may be written as a signed or an unsigned number. */
function put64(words: Uint32Array, at: number, value: number | bigint, path: string): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw notData(path, `${value} is no whole number that a double holds exactly; write a bigint.`);
  }
  const wide = BigInt(value);
  if (wide < -(1n << 63n) || wide >= 1n << 64n) throw notData(path, `${value} does not fit into 64 bits.`);
  words[at] = Number(BigInt.asUintN(32, wide));
  words[at + 1] = Number(BigInt.asUintN(32, wide >> 32n));
}

function wordOf(value: number, path: string): number {
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
    throw notData(path, `${showValue(value)} is no 32-bit number.`);
  }
  return value >>> 0;
}

function notData(path: string, message: string): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_ARGUMENT', message, { path });
}
