/**
 * Sockets: what a supervisor makes for a target, and does to its copy of one.
 *
 * A copy, of one that was made here or from pidfd_getfd(2) is the target's socket itself, so what is done to it holds for the target. The
 * copy cannot be exchanged behind the supervisor's back, as a descriptor number of the target can.
 */
import { binding } from './binding.js';
import { SO_LINGER, SOCK_CLOEXEC, SOL_SOCKET } from './constants.js';
import { check } from './errors.js';

/** Two UNIX sockets of this type that are connected, close-on-exec. @returns the caller closes both @see socketpair(2) */
export function socketpair(type: number): [number, number] {
  const ends = new Int32Array(2);
  check('socketpair', binding().socketpair(ends, type | SOCK_CLOEXEC));
  return [ends[0]!, ends[1]!];
}

/**
 * A new socket, closed on exec whatever `type` says.
 *
 * @param type  `SOCK_STREAM | ...`, with `SOCK_NONBLOCK` if wanted
 * @throws {SyscallError} EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT
 * @see socket(2)
 */
export function socket(domain: number, type: number, protocol: number): number {
  return check('socket', binding().socket(domain, type | SOCK_CLOEXEC, protocol));
}

/**
 * Lets the last close of a socket return at once, whatever it was told.
 *
 * @throws {SyscallError} EBADF, ENOTSOCK
 * @see socket(7), SO_LINGER
 */
export function doNotLinger(fd: number): void {
  check('setsockopt', binding().setsockopt(fd, SOL_SOCKET, SO_LINGER, new Uint8Array(8))); // struct linger, both 0
}

/**
 * An option that is an int.
 *
 * @param level   `SOL_SOCKET`, or a protocol
 * @param option  such as `SO_DOMAIN`, `SO_TYPE`, `SO_PROTOCOL`, whose values are never negative
 * @throws {SyscallError} EBADF, ENOTSOCK, ENOPROTOOPT
 * @see getsockopt(2), socket(7)
 */
export function getsockoptInt(fd: number, level: number, option: number): number {
  return check('getsockopt', binding().getsockoptInt(fd, level, option));
}

/** Sets an option that is an int. @throws {SyscallError} EBADF, ENOTSOCK, ENOPROTOOPT, EINVAL @see setsockopt(2), socket(7) */
export function setsockoptInt(fd: number, level: number, option: number, value: number): void {
  check('setsockopt', binding().setsockopt(fd, level, option, new Uint8Array(Int32Array.of(value).buffer)));
}

/**
 * The port an internet socket is bound to, in host order.
 *
 * @returns 0 when it is bound to none
 * @throws {SyscallError} EBADF, ENOTSOCK; EAFNOSUPPORT for a socket of another family
 * @see getsockname(2)
 */
export function getsocknamePort(fd: number): number {
  return check('getsockname', binding().getsocknamePort(fd));
}

/**
 * Lets a socket take connections; never sleeps. An internet socket that is bound to no port gets a free one.
 *
 * @throws {SyscallError} EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP
 * @see listen(2)
 */
export function listen(fd: number, backlog: number): void {
  check('listen', binding().listen(fd, backlog));
}

/** Ends one direction or both. On a listening TCP socket, `SHUT_RD` ends listening. @throws {SyscallError} ENOTCONN @see shutdown(2) */
export function shutdown(fd: number, how: number): void {
  check('shutdown', binding().shutdown(fd, how));
}
