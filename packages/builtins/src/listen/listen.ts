/**
 * The listen family: sockets take connections on the ports that may be bound, and on no others.
 *
 * Landlock judges bind(2). But listen(2) on a TCP socket that is bound to no port gets one from the kernel, and
 * asks nobody. So the supervisor makes the call itself, on a copy of the socket: a number of the target can
 * stand for another socket by the time the kernel looks, a copy cannot. The copy is taken when the call comes, or, where a
 * container's filter denies that, was kept when the socket was made.
 * listen(2)  ->  0, EACCES, or the kernel's own error
 */
import type { Family } from '@sandlock/dispatch';
import { mayCallPidfdGetfd } from '@sandlock/sys';

import { copiedSockets } from './copied-sockets.js';
import { madeSockets } from './made-sockets.js';
import { portTest, type BindPorts } from './may-listen.js';

/** Taken from the target when it wants to listen, or kept since the supervisor made the socket. */
export type SocketCopies = 'taken' | 'kept';

export interface ListenOptions {
  /** The TCP ports that may be bound. With 0 among them, or 'any', unbound sockets may listen too. */
  readonly bindPorts: BindPorts;
  /** false: the filter refuses every connect(2), so that nobody need be told of one. Default true. */
  readonly connects?: boolean;
  /** Where copies come from. Default: 'taken', or 'kept' where pidfd_getfd(2) is denied. */
  readonly copies?: SocketCopies;
}

/** @throws {RangeError} a port is no whole number from 0 to 65535 */
export function listen({ bindPorts, connects = true, copies = mayCallPidfdGetfd() ? 'taken' : 'kept' }: ListenOptions): Family {
  const mayListen = portTest(bindPorts);
  if (copies === 'taken') return { name: 'listen', handlers: copiedSockets(mayListen) };
  return { name: 'listen', ...madeSockets({ mayListen, connects, tcp: bindPorts === 'any' || bindPorts.length > 0 }) };
}
