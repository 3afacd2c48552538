/**
 * What `extraAllowSyscalls` and `extraDenySyscalls` take: groups, and for denials single system calls too.
 *
 * A single call cannot be allowed again: each group is a set of ways to one end, and one way open is all open.
 * A call that this architecture lacks but another has may be denied, so that one policy serves several machines.
 */
import { syscallNumber, syscallNames, type Arch } from '@sandlock/bpf';

import { membersOf } from '../../filter/blocklist.js';
import { ALLOWABLE_GROUPS, isSyscallGroup, SYSCALL_GROUP_NAMES, type SyscallGroupName } from '../../filter/syscall-groups.js';
import { nearestName } from '../nearest-name.js';
import { GrammarError, show } from './grammar-error.js';

/** Those that Sandlock runs on. */
const arches: readonly Arch[] = ['x86_64', 'aarch64', 'riscv64'];

/** @throws {GrammarError} */
export function parseAllowedGroup(value: unknown): SyscallGroupName {
  if (typeof value !== 'string') throw new GrammarError(`A group is named by text, not ${show(value)}.`);
  if (ALLOWABLE_GROUPS.includes(value as SyscallGroupName)) return value as SyscallGroupName;
  const known = `Groups that can be allowed: ${ALLOWABLE_GROUPS.join(', ')}.`;
  if (isSyscallGroup(value)) throw new GrammarError(`The group ${show(value)} cannot be allowed.`, known);
  if (isSyscallName(value)) {
    throw new GrammarError(`${show(value)} is a single system call, and those cannot be allowed again.`, known);
  }
  throw new GrammarError(`Unknown syscall group name ${show(value)}.`, known);
}

/** @throws {GrammarError} */
export function parseDeniedSyscall(value: unknown): string {
  if (typeof value !== 'string') throw new GrammarError(`A system call is named by text, not ${show(value)}.`);
  if (isSyscallGroup(value) || isSyscallName(value)) return value;
  const nearest = nearestName(value, [...SYSCALL_GROUP_NAMES, ...arches.flatMap((arch) => syscallNames(arch))]);
  throw new GrammarError(`Unknown syscall or group name ${show(value)}.`,
    nearest === undefined ? undefined : `Did you mean ${nearest}?`);
}

/** What is both allowed and denied, as messages; the index is that of the denial. */
export function contradictions(
  allow: readonly SyscallGroupName[], deny: readonly string[],
): { index: number; message: string }[] {
  return deny.flatMap((name, index) => allow.flatMap((group) => {
    if (name === group) return [{ index, message: `The group ${group} is both allowed and denied.` }];
    const shared = membersOf(name).filter((member) => membersOf(group).includes(member));
    return shared.map((member) => ({ index, message: `${member} is denied but belongs to the allowed group ${group}.` }));
  }));
}

function isSyscallName(name: string): boolean {
  return arches.some((arch) => syscallNumber(arch, name) !== undefined);
}
