/**
 * listen(2) on a copy of the target's socket, if its port is one that may be listened on.
 *
 * The copy is the socket itself, so the target's other threads can still do to it what they can do to any of
 * theirs. What they can make of it in the meantime is looked at once more when it listens.
 */
import { action, type NotifAction } from '@sandlock/dispatch';
import {
  AF_INET, AF_INET6, AF_UNIX, IPPROTO_TCP, SHUT_RD, SO_DOMAIN, SO_PROTOCOL, SO_TYPE, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, SOL_SOCKET,
  type TargetSocket,
} from '@sandlock/sys';

/** What is done to a copy, wherever it stands. */
export type SocketCopy = Pick<TargetSocket, 'getsockoptInt' | 'getsocknamePort' | 'listen' | 'shutdown'>;

/**
 * @param socket     stays the caller's
 * @param mayListen  asked with 0 for a socket that is bound to no port
 * @throws {SyscallError} what the kernel says
 */
export function listenOnCopy(socket: SocketCopy, backlog: number, mayListen: (port: number) => boolean): NotifAction {
  const family = socket.getsockoptInt(SOL_SOCKET, SO_DOMAIN);
  const type = socket.getsockoptInt(SOL_SOCKET, SO_TYPE);
  if (family !== AF_UNIX) {
    if (type === SOCK_DGRAM || type === SOCK_RAW) return action.errno('EOPNOTSUPP'); // listen(2), ERRORS
    const tcp = (family === AF_INET || family === AF_INET6) && type === SOCK_STREAM
      && socket.getsockoptInt(SOL_SOCKET, SO_PROTOCOL) === IPPROTO_TCP;
    // SCTP, MPTCP and others choose ports too, and Landlock does not judge their bind(2).
    if (!tcp || !mayListen(socket.getsocknamePort())) return action.errno('EACCES');
  }
  socket.listen(backlog);
  // Another thread may have let go of the port meanwhile, and the kernel have chosen one. So we look again.
  if (family !== AF_UNIX && !mayListen(socket.getsocknamePort())) {
    socket.shutdown(SHUT_RD);
    return action.errno('EACCES');
  }
  return action.returnValue(0);
}
