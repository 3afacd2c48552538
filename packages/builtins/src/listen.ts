/**
 * The listen family: sockets take connections on the ports that may be bound, and on no others.
 *
 * Landlock judges bind(2). But listen(2) on a TCP socket that is bound to no port gets one from the kernel, and
 * asks nobody. So the supervisor makes the call itself, on a copy of the socket: a number of the target can
 * stand for another socket by the time the kernel looks, a copy cannot. The copy stands in no descriptor table of the
 * process, where its close would have effects. That needs pidfd_getfd(2), which the
 * default filter of a container runtime may deny; then every listen(2) is refused, and reason() says why.
 * listen(2)  ->  0, EACCES, or the kernel's own error
 */
import { action, type Family, type Handler } from '@sandlock/dispatch';
import { close, pidfdGetfd, pidfdOpen, pipe, SyscallError, TargetSocket } from '@sandlock/sys';

import { listenOnCopy } from './listen-on-copy.js';

export interface ListenOptions {
  /** The TCP ports that may be bound. With 0 among them, or 'any', unbound sockets may listen too. */
  readonly bindPorts: readonly number[] | 'any';
}

export interface ListenFamily extends Family {
  /** Why every listen(2) is refused on this machine; undefined where it is not. */
  reason(): string | undefined;
}

/** What listen(2) itself never says: the copy could not be had, or did not answer. */
const REFUSALS = new Set(['EPERM', 'ESRCH', 'EAGAIN', 'ETIMEDOUT', 'EMFILE', 'ENFILE', 'ENOSYS', 'ENOMEM']);

/** @throws {RangeError} a port is no whole number from 0 to 65535 */
export function listen({ bindPorts }: ListenOptions): ListenFamily {
  const mayListen = portTest(bindPorts);
  const reason = whyUnavailable();

  const onCopy: Handler = (context) => {
    if (reason !== undefined) return action.errno('EACCES');
    const [fd, backlog] = [context.args[0]!, context.args[1]!].map((register) => Number(BigInt.asIntN(32, register)));
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
  return { name: 'listen', handlers: { listen: { handler: onCopy, onException: 'denyEperm' } }, reason: () => reason };
}

function portTest(bindPorts: readonly number[] | 'any'): (port: number) => boolean {
  if (bindPorts === 'any') return () => true;
  const ports = new Set(bindPorts);
  for (const port of ports) {
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`Port ${port} is not a whole number from 0 to 65535.`);
  }
  // A port of the kernel's choice may be any.
  return ports.has(0) ? () => true : (port) => ports.has(port);
}

/** Tried on this process itself, which no other check refuses. */
function whyUnavailable(): string | undefined {
  const ends = pipe();
  const opened = [...ends];
  try {
    const pidfd = pidfdOpen(process.pid);
    opened.push(pidfd);
    opened.push(pidfdGetfd(pidfd, ends[0]));
    return undefined;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return `Every listen(2) is refused, since ${error.syscall} fails here with ${error.code}: a container's filter denies it, `
      + 'or the kernel is older than Linux 5.6.';
  } finally {
    opened.forEach(close);
  }
}
