/**
 * The effective blocklist: the groups that apply, less what was allowed, plus what was denied.
 *
 * One function for the filter and for the check that no handler is registered on a denied call, so that the
 * two cannot drift apart.
 */
import { syscallNumber, type Arch } from '@sandlock/bpf';

import { isSyscallGroup, SYSCALL_GROUPS, SYSCALL_GROUP_NAMES, type SyscallGroupName } from './syscall-groups.js';

export interface BlocklistOptions {
  readonly supervised: boolean;
  /** Groups to leave out. */
  readonly allow: readonly SyscallGroupName[];
  /** Names of system calls and groups to add. */
  readonly deny: readonly string[];
}

/** The names, each once, in the order of the groups and then of the extra denials. */
export function blockedNames({ supervised, allow, deny }: BlocklistOptions): string[] {
  const groups = SYSCALL_GROUP_NAMES.filter((name) =>
    (supervised || SYSCALL_GROUPS[name].withoutSupervisor === true) && !allow.includes(name));
  const names = new Set(groups.flatMap((name) => SYSCALL_GROUPS[name].syscalls));
  for (const name of deny) for (const member of membersOf(name)) names.add(member);
  return [...names];
}

/** The numbers on an architecture, ascending, each once. */
export function blockedNumbers(arch: Arch, options: BlocklistOptions): number[] {
  const numbers = new Set<number>();
  for (const name of blockedNames(options)) {
    const nr = syscallNumber(arch, name);
    if (nr !== undefined) numbers.add(nr);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** A group's members, or the call itself. */
export function membersOf(name: string): readonly string[] {
  return isSyscallGroup(name) ? SYSCALL_GROUPS[name].syscalls : [name];
}
