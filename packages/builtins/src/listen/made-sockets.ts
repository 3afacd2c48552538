/**
 * Listening on a copy that was kept when the socket was made, where none can be taken later.
 *
 * The supervisor makes each stream socket itself and keeps a copy until the socket connects or listens, and no longer:
 * a copy would keep a connection open that its owner has closed. When a target wants to listen, the copy is found by the
 * inode that its descriptor leads to. Should the number stand for another socket by then, we listen on the one that
 * was looked at, which is a socket of the sandbox as well. A socket of which no copy was kept cannot listen.
 * socket(2)   ->  descriptor, or the kernel's own error
 * connect(2)  ->  continue
 * listen(2)   ->  0, EACCES, or the kernel's own error
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';
import { action, asInt32, type FamilyEntry, type FamilyHandler, type Handler } from '@sandlock/dispatch';
import {
  AF_INET, AF_INET6, AF_UNIX, close, fcntlDupFd, getsocknamePort, getsockoptInt, listen as sysListen, shutdown, SOCK_CLOEXEC,
  SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM, SOCK_TYPE_MASK, socket as sysSocket, SyscallError,
} from '@sandlock/sys';

import { KeptSockets } from './kept-sockets.js';
import { listenOnCopy } from './listen-on-copy.js';

/** Type and flags that are made here; another flag is the kernel's EINVAL. */
const KNOWN_BITS = SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC;
const LEAST_FD = 3;

export interface MadeSockets {
  readonly handlers: Record<string, FamilyEntry>;
  dispose(): void;
}

export interface MadeSocketsOptions {
  readonly mayListen: (port: number) => boolean;
  /** Whether sockets can connect at all. */
  readonly connects: boolean;
  /** Whether any TCP socket may listen: otherwise only UNIX sockets are made here. */
  readonly tcp: boolean;
}

export function madeSockets({ mayListen, connects, tcp }: MadeSocketsOptions): MadeSockets {
  const kept = new KeptSockets();

  const create: Handler = (context) => {
    const [domain, type, protocol] = context.args.slice(0, 3).map(asInt32) as [number, number, number];
    if ((type & ~KNOWN_BITS) !== 0) return action.errno('EINVAL'); // socket(2), ERRORS
    kept.sweep();
    let made: number;
    try {
      made = sysSocket(domain, type & ~SOCK_CLOEXEC, protocol);
    } catch (error) {
      if (error instanceof SyscallError) return action.errno(-error.errno);
      throw error;
    }
    const copy = attempt(() => fcntlDupFd(made, LEAST_FD));
    if (typeof copy !== 'number') {
      close(made);
      return action.errno('ENFILE');
    }
    let targetFd = -1;
    const { pid } = context;
    context.onOutcome(({ delivered, kind }) => {
      if (delivered && kind === 'fd') kept.keep(copy, pid, targetFd);
      else close(copy);
    });
    return action.injectFdSendTracked({
      srcFd: made, newFdFlags: type & SOCK_CLOEXEC, onInjected: (fd) => { targetFd = fd; },
    });
  };

  const connect: Handler = (context) => {
    const fd = asInt32(context.args[0]!);
    const inode = kept.find(context.pid, fd);
    if (typeof inode === 'number') kept.forget(inode);
    return action.continue();
  };

  const listen: Handler = (context) => {
    const [fd, backlog] = [context.args[0]!, context.args[1]!].map(asInt32) as [number, number];
    if (fd < 0) return action.errno('EBADF');
    const inode = kept.find(context.pid, fd);
    // What was read from /proc is the target's only if its call still waits.
    if (!context.isValid()) return action.errno('EBADF');
    if (typeof inode !== 'number') return action.errno(inode);
    const copy = kept.copyOf(inode);
    // Listening again would change the length of its queue, and only that.
    if (copy === undefined) return kept.hasListened(inode) ? action.returnValue(0) : action.errno('EACCES');
    try {
      const answer = listenOnCopy({
        getsockoptInt: (level, option) => getsockoptInt(copy, level, option),
        getsocknamePort: () => getsocknamePort(copy),
        listen: (length) => sysListen(copy, length),
        shutdown: (how) => shutdown(copy, how),
      }, backlog, mayListen);
      if (answer.kind === 'returnValue') kept.listens(inode);
      return answer;
    } catch (error) {
      if (error instanceof SyscallError) return action.errno(-error.errno);
      throw error;
    }
  };

  const when = (domain: number, type: number): FamilyHandler => ({
    handler: create, onException: 'denyEperm', when: [arg32(0).eq(domain), arg32(1).maskedEq(SOCK_TYPE_MASK, type)] satisfies ArgCondition[],
  });
  return {
    handlers: {
      socket: [when(AF_UNIX, SOCK_STREAM), when(AF_UNIX, SOCK_SEQPACKET), ...(tcp ? [when(AF_INET, SOCK_STREAM), when(AF_INET6, SOCK_STREAM)] : [])],
      ...(connects ? { connect: { handler: connect, onException: 'denyEperm' } satisfies FamilyEntry } : {}),
      listen: { handler: listen, onException: 'denyEperm' },
    },
    dispose: () => kept.dispose(),
  };
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
