/**
 * Listening on a copy that was taken of the target's socket when it wants to listen.
 *
 * The copy stands in no descriptor table of the process, where its close would have effects. It takes
 * pidfd_getfd(2), which the default filter of a container runtime denies.
 */
import { action, asInt32, type FamilyEntry, type Handler } from '@sandlock/dispatch';
import { SyscallError, TargetSocket } from '@sandlock/sys';

import { listenOnCopy } from './listen-on-copy.js';

/** What listen(2) itself never says: the copy could not be had, or did not answer. */
const REFUSALS = new Set(['EPERM', 'ESRCH', 'EAGAIN', 'ETIMEDOUT', 'EMFILE', 'ENFILE', 'ENOSYS', 'ENOMEM']);

export function copiedSockets(mayListen: (port: number) => boolean): Record<string, FamilyEntry> {
  const listen: Handler = (context) => {
    const [fd, backlog] = [context.args[0]!, context.args[1]!].map(asInt32);
    if (fd! < 0) return action.errno('EBADF');
    let socket: TargetSocket | undefined;
    try {
      socket = TargetSocket.open(context.pid, fd!);
      // It is the target's only if its call still waits.
      if (!context.isValid()) return action.errno('EBADF');
      return listenOnCopy(socket, backlog!, mayListen);
    } catch (error) {
      if (error instanceof SyscallError) return action.errno(REFUSALS.has(error.code) ? 'EACCES' : -error.errno);
      throw error;
    } finally {
      socket?.end();
    }
  };
  return { listen: { handler: listen, onException: 'denyEperm' } };
}
