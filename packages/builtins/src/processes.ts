/**
 * The processes family: how many processes a sandbox has at once, and what they may do to each other.
 *
 * Counted are living members, not forks minus waits: a child that nobody waits for, or that was waited for
 * twice, changes nothing. As long as the count cannot exceed what it was at its highest before, /proc is not
 * even looked at. A fork whose child is not in /proc yet counts as a process, so programs
 * that fork all at once stay within the limit too. Threads are free: conditions on the registers keep clone(2)
 * with CLONE_THREAD in the kernel. clone3(2), whose flags no filter sees, is answered by the filter with ENOSYS.
 * fork(2), vfork(2), clone(2)  ->  continue, or EAGAIN
 */
import { arg32 } from '@sandlock/bpf';
import { action, type Family, type Handler } from '@sandlock/dispatch';
import { CLONE_THREAD } from '@sandlock/sys';

import { ForkLedger } from './fork-ledger.js';
import { otherProcessHandlers } from './other-process-calls.js';
import { parentDeath } from './parent-death.js';
import type { ProcessTree } from './process-tree.js';

export interface ProcessesOptions {
  /** Living processes at once, the first one included. */
  readonly maxProcesses: number;
  /** The processes of the sandbox. */
  readonly members: ProcessTree;
}

export interface ProcessesFamily extends Family {
  /**
   * The most living processes there were at once. Exact up to 4 and at the limit; in between it may include up to
   * a quarter of processes that had just ended.
   */
  peak(): number;
}

/** A fork at the limit waits this often, this long, for others to come out of the kernel: under 1 ms in all. */
const PATIENCE = 3;
const PATIENCE_MS = 0.25;
/** What cannot be counted is refused. */
const onException = 'denyEperm';
const pause = new Int32Array(new SharedArrayBuffer(4));

/** @throws {RangeError} maxProcesses is no whole number from 1 */
export function processes({ maxProcesses, members }: ProcessesOptions): ProcessesFamily {
  if (!Number.isSafeInteger(maxProcesses) || maxProcesses < 1) {
    throw new RangeError(`maxProcesses is a whole number from 1, not ${String(maxProcesses)}; the first process counts.`);
  }
  const ledger = new ForkLedger(1); // the first process, which no fork of ours made
  let peak = 1;
  const count = (): number => members.size + ledger.unseen;

  /** What the last look at /proc found. */
  let lastCount = 1;
  /** Of those that the tree has ever found, how many the ledger knows of. */
  let told = 0;

  const look = (): void => {
    if (ledger.unseen === 0) members.refresh(); // everybody is known
    else {
      ledger.settle();
      const { complete } = members.discover();
      ledger.walked(members.everFound - told, complete);
      told = members.everFound;
    }
    lastCount = count();
  };

  const hasRoom = (): boolean => {
    // The count includes those that have ended since the last look. As long as that may not matter, nothing is read:
    // up to what it was before, and, where many live, up to a quarter more than the last look found.
    const next = count() + 1;
    if (next <= peak || next <= Math.min(maxProcesses, lastCount + (lastCount >> 2))) return true;
    look();
    for (let n = 0; n < PATIENCE && count() >= maxProcesses && ledger.isWaiting && !members.isCrowded; n++) {
      // Asleep, not in a loop: the thread that we wait for was woken on this very processor.
      Atomics.wait(pause, 0, 0, PATIENCE_MS);
      look();
    }
    return count() < maxProcesses;
  };

  const create: Handler = (context) => {
    ledger.calls(context.pid);
    if (!hasRoom()) return action.errno('EAGAIN'); // fork(2), ERRORS
    const fork = ledger.add(context.pid);
    peak = Math.max(peak, count());
    context.onOutcome(({ delivered, kind }) => {
      if (delivered && kind === 'continue') fork.delivered = true;
      else ledger.remove(fork); // a handler behind us refused it, or the thread is gone
    });
    return action.continue();
  };

  return {
    name: 'processes',
    handlers: {
      fork: { handler: create, onException },
      vfork: { handler: create, onException },
      // The kernel looks at the low half of the flags only. kernel/fork.c, SYSCALL_DEFINE5(clone, ...)
      clone: { handler: create, when: arg32(0).maskedEq(CLONE_THREAD, 0), onException },
      ...otherProcessHandlers,
      ...parentDeath(() => members.guardPid),
    },
    peak: () => peak,
  };
}
