/**
 * The caller of a failed handler is ended before its call is answered.
 *
 * The guard ends the tree, but it has to be asked and answers when it gets to it; meanwhile the caller would have its
 * errno and go on, or even end as if nothing had been. So its process is killed from here, and first.
 */
import { readStat } from '@sandlock/builtins';
import type { Listener } from '@sandlock/dispatch';
import { constants } from 'node:os';

/** @param pid a thread id, as a notification has it */
export function killCaller(listener: Listener, pid: number, guardPid: number): void {
  // The process is pinned when this is asked, so what descends from the guard then is what the signal goes to.
  listener.signalTask(pid, constants.signals.SIGKILL, () => descendsFrom(pid, guardPid));
}

function descendsFrom(pid: number, ancestor: number): boolean {
  let at = readStat(pid)?.ppid;
  while (at !== undefined && at > 1 && at !== ancestor) at = readStat(at)?.ppid;
  return at === ancestor;
}
