/**
 * One process of each address space. A child of vfork(2) is in that of its parent until it calls exec.
 *
 * Two processes that share one have the same counters, and kcmp(2) says whether they do. A container's filter may deny
 * that. Then a child passes for one of vfork only if its parent has a thread that waits as vfork does, and only as many
 * of its children as it has such threads: more would let forked copies hide behind one another.
 */
import { SyscallError, sharesMemory } from '@sandlock/sys';

import { listThreads } from '../process-children.js';
import { readStat, readThreadStat } from '../process-stat.js';
import { unlessGone } from '../proc-file.js';
import type { MemoryStatus } from './memory-status.js';

/** @param compare  replaced by tests. kcmp(2), KCMP_VM */
export function addressSpaces<T extends Pick<MemoryStatus, 'pid' | 'tid' | 'likeness'>>(statuses: readonly T[], compare = sharesMemory): T[] {
  const kept: T[] = [];
  const waiting = new Map<number, number>();
  for (const status of statuses) {
    const alike = kept.filter((other) => other.likeness === status.likeness);
    if (!alike.some((other) => areOne(other, status, compare, waiting))) kept.push(status);
  }
  return kept;
}

type Threads = Pick<MemoryStatus, 'pid' | 'tid'>;

function areOne(a: Threads, b: Threads, compare: typeof sharesMemory, waiting: Map<number, number>): boolean {
  try {
    return compare(a.tid, b.tid);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    // Gone meanwhile, and nothing to count; unless it was a thread that stood for others.
    if (error.code === 'ESRCH') return a.tid === a.pid && b.tid === b.pid;
    return waitsFor(a.pid, b.pid, waiting) || waitsFor(b.pid, a.pid, waiting);
  }
}

/** Whether one more child of this parent may be one of vfork. */
function waitsFor(parent: number, child: number, waiting: Map<number, number>): boolean {
  if (readStat(child)?.ppid !== parent) return false;
  const left = waiting.get(parent) ?? threadsInVfork(parent);
  waiting.set(parent, left - 1);
  return left > 0;
}

/** Asleep where signals do not reach. kernel/fork.c, wait_for_vfork_done(): TASK_KILLABLE */
function threadsInVfork(pid: number): number {
  const threads = unlessGone(() => listThreads(pid)) ?? [];
  return threads.filter((tid) => readThreadStat(tid)?.state === 'D').length;
}
