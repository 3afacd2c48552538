/**
 * The program and the caller of a failed handler are ended before the call is answered.
 *
 * The guard ends the tree, but it has to be asked and answers when it gets to it. Meanwhile the caller would have its
 * errno and go on, or even end as if nothing had been; and the program, where the caller is a child of it, would see
 * that child die, go on, and perhaps end with exit code 0. So these two are killed from here, and the program first.
 */
import type { Listener } from '@sandlock/dispatch';
import { constants } from 'node:os';

/** @param ids  of processes, or of threads of theirs, as a notification has them */
export function killFirst(listener: Listener, ids: readonly (number | undefined)[], isMember: (id: number) => boolean): void {
  for (const id of ids) {
    // The process is pinned when membership is asked, so whoever is a member then is what the signal goes to.
    if (id !== undefined) listener.signalTask(id, constants.signals.SIGKILL, () => isMember(id));
  }
}
