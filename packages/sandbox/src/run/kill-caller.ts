/**
 * The caller of a failed handler is ended before its call is answered.
 *
 * The guard ends the tree, but it has to be asked and answers when it gets to it; meanwhile the caller would have its
 * errno and go on, or even end as if nothing had been. So its process is killed from here, and first.
 */
import type { Listener } from '@sandlock/dispatch';
import { constants } from 'node:os';

/** @param pid a thread id, as a notification has it */
export function killCaller(listener: Listener, pid: number, isMember: (id: number) => boolean): void {
  // The process is pinned when this is asked, so whoever is a member then is what the signal goes to.
  listener.signalTask(pid, constants.signals.SIGKILL, () => isMember(pid));
}
