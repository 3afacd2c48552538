/**
 * Looking a syscall up in a table, by name and by number.
 *
 * 64-bit kernels have had two spellings of one call, `__NR_fstatat` in older headers of the generic table
 * and `__NR_newfstatat`; both resolve on every architecture that has either.
 */
import { type SyscallTable } from './syscall-table.js';

const secondSpelling: Readonly<Record<string, string>> = { fstatat: 'newfstatat', newfstatat: 'fstatat' };

/** The number behind a name, or undefined where the architecture has no such call. */
export function numberIn(table: SyscallTable, name: string): number | undefined {
  // hasOwn: "constructor" is not a system call.
  if (Object.hasOwn(table.numbers, name)) return table.numbers[name];
  const other = Object.hasOwn(secondSpelling, name) ? secondSpelling[name] : undefined;
  return other !== undefined && Object.hasOwn(table.numbers, other) ? table.numbers[other] : undefined;
}

/** The name of a number, the first one where several share it. */
export function nameIn(table: SyscallTable, nr: number): string | undefined {
  return reverse(table).get(nr >>> 0);
}

const reversed = new WeakMap<SyscallTable, Map<number, string>>();

function reverse(table: SyscallTable): Map<number, string> {
  let names = reversed.get(table);
  if (names === undefined) {
    names = new Map();
    for (const [name, nr] of Object.entries(table.numbers)) if (!names.has(nr)) names.set(nr, name);
    reversed.set(table, names);
  }
  return names;
}
