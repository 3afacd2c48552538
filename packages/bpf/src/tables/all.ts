/** All syscall tables, and look-ups over them. Import a single table to bundle no more than that one. */
import { aarch64 } from './aarch64.js';
import { arm } from './arm.js';
import { i386 } from './i386.js';
import { nameIn, numberIn } from './lookup.js';
import { riscv64 } from './riscv64.js';
import { type Arch, type SyscallTable } from './syscall-table.js';
import { x32 } from './x32.js';
import { x86_64 } from './x86_64.js';

export const syscallTables: Readonly<Record<Arch, SyscallTable>> = { x86_64, x32, i386, aarch64, arm, riscv64 };
export const allTables: readonly SyscallTable[] = Object.values(syscallTables);

/** The number of a system call, or undefined where the architecture has none of that name. */
export function syscallNumber(arch: Arch, name: string): number | undefined {
  return numberIn(syscallTables[arch], name);
}

/** The name behind a number, or undefined for one that means nothing. */
export function syscallName(arch: Arch, nr: number): string | undefined {
  return nameIn(syscallTables[arch], nr);
}

/** All names of an architecture, in the order of their numbers. */
export function syscallNames(arch: Arch): readonly string[] {
  return Object.keys(syscallTables[arch].numbers);
}
