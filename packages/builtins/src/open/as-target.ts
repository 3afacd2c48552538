/**
 * Doing one thing with no more rights on files than the target has.
 *
 * A supervisor that runs as root would open for a target what that may not open itself, and what it opened would
 * remember who did: /proc judges some reads by the opener. So user, groups and capabilities are laid down around the
 * call, on this thread alone, and what the kernel then says is what it would have said to the target. A supervisor
 * without capabilities has nothing to lay down: its targets are the same user with the same groups.
 * credentials(7), capabilities(7); kernel/cred.c
 */
import { capget, capset, setfsgid, setfsuid, setgroups, type CapabilitySets } from '@sandlock/sys';
import { readlinkSync } from 'node:fs';

import type { TaskStatus } from './task-status.js';

/** An id that no file has: asks without changing anything. setfsuid(2), RETURN VALUE */
const NOBODY = 0xffffffff;

/**
 * @param tid   the thread that `status` is of; its call still waits
 * @param work  is done at once; what it returns has been done when it returns
 * @throws what `work` throws, and an Error when the rights cannot be laid down: then nothing was done
 */
export function asTarget<T>(tid: number, status: TaskStatus, work: () => T): T {
  const own = capget();
  if (own.effective === 0n) return work();
  const lent = status.capabilities === 0n || !sameUserNamespace(tid) ? 0n : status.capabilities & own.permitted;
  const fsuid = setfsuid(NOBODY);
  const fsgid = setfsgid(NOBODY);
  const groups = process.getgroups!();
  const same = status.fsuid === fsuid && status.fsgid === fsgid && sameSet(status.groups, groups);
  if (same && lent === own.effective) return work();
  try {
    if (!same) become(status);
    capset({ ...own, effective: lent });
    return work();
  } finally {
    restore(own, same ? undefined : { fsuid, fsgid, groups });
  }
}

function become({ fsuid, fsgid, groups }: Pick<TaskStatus, 'fsuid' | 'fsgid' | 'groups'>): void {
  setgroups(groups);
  setfsgid(fsgid);
  setfsuid(fsuid);
  if (setfsuid(NOBODY) !== fsuid || setfsgid(NOBODY) !== fsgid) throw new Error('The ids of a target could not be taken on.');
}

function restore(own: CapabilitySets, ids: Pick<TaskStatus, 'fsuid' | 'fsgid' | 'groups'> | undefined): void {
  capset(own);
  if (ids === undefined) return;
  become(ids);
  capset(own); // a change between root and others moves the capabilities on files. capabilities(7)
}

/** Capabilities count in the user namespace of their owner, and a target may have one of its own. */
function sameUserNamespace(tid: number): boolean {
  return readlinkSync(`/proc/${tid}/ns/user`) === readlinkSync('/proc/self/ns/user');
}

function sameSet(a: readonly number[], b: readonly number[]): boolean {
  const set = new Set(a);
  return b.every((each) => set.has(each)) && set.size === new Set(b).size;
}
