/**
 * Programs for where they go: a file descriptor of bubblewrap, a C source, the memory of seccomp(2).
 */
import { showAction } from '../action.js';
import { FilterError } from '../filter-error.js';
import { encodeInstructions, type Program } from '../instruction.js';
import { BPF_RET_K } from '../opcodes.js';
import { validInstructions } from '../program/validate.js';

/**
 * Raw instructions: write them to a file and pass its descriptor to `bwrap --seccomp FD`.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID for a program that the kernel would refuse
 */
export function programBytes(program: Program): Uint8Array {
  return encodeInstructions(validInstructions(program));
}

/**
 * A C array of struct sock_filter, and the struct sock_fprog over it.
 *
 * @param name a C identifier; the fprog gets `_prog` behind it
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_DESCRIPTION
 */
export function programToC(program: Program, name = 'filter'): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION', `${JSON.stringify(name)} is no C identifier.`);
  }
  const instructions = validInstructions(program);
  const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;
  const lines = instructions.map(({ code, jt, jf, k }, i) => {
    const note = code === BPF_RET_K ? `  /* ${i}: ${showAction(k)} */` : '';
    return `\t{ ${hex(code, 2)}, ${jt}, ${jf}, ${hex(k, 8)} },${note}`;
  });
  return `#include <linux/filter.h>

static struct sock_filter ${name}[] = {
${lines.join('\n')}
};

static struct sock_fprog ${name}_prog = {
\t.len = ${instructions.length},
\t.filter = ${name},
};
`;
}

/** `sizeof(struct sock_fprog)` where pointers have 64 bits: u16 len, padding, the pointer. */
export const SOCK_FPROG_SIZE = 16;

/**
 * The struct sock_fprog that seccomp(2) reads, for a caller that knows where the instructions lie.
 *
 * @param address of {@link programBytes} in memory, for a 64-bit process
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_DESCRIPTION
 */
export function sockFprog(program: Program, address: bigint): Uint8Array {
  if (address <= 0n || address >= 1n << 64n) {
    throw new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION', `${address} is no address.`);
  }
  const fprog = new Uint8Array(SOCK_FPROG_SIZE);
  const view = new DataView(fprog.buffer);
  view.setUint16(0, validInstructions(program).length, true);
  view.setBigUint64(8, address, true);
  return fprog;
}
