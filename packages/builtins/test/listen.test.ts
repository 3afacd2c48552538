import { action } from '@sandlock/dispatch';
import { close, getsocknamePort, getsockoptInt, listen as sysListen, pipe, shutdown, SOL_SOCKET, SyscallError, TargetSocket } from '@sandlock/sys';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { listen } from '../src/index.js';
import { listenOnCopy, type SocketCopy } from '../src/listen/listen-on-copy.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const fdOf = (server: unknown) => (server as { _handle: { fd: number } })._handle.fd;

async function withServer<T>(where: { port: number; host: string } | { path: string }, use: (fd: number, port: number) => Promise<T>): Promise<T> {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(where, resolve); });
  try {
    return await use(fdOf(server), (server.address() as { port?: number }).port ?? 0);
  } finally {
    await new Promise((resolve) => { server.close(resolve); });
  }
}

/** The target's listen on what this process has as `fd`: the target is this process. */
async function listenOn(target: Supervised, fd: number) {
  const before = readdirSync('/proc/self/fd').length;
  const response = await target.call('listen', [fd, 5]);
  return { ...response, closed: readdirSync('/proc/self/fd').length === before };
}

/** Calls on a descriptor of this process, in place of a copy. */
function copyAt(fd: number): SocketCopy {
  return {
    getsockoptInt: (level, option) => getsockoptInt(fd, level, option), getsocknamePort: () => getsocknamePort(fd),
    listen: (backlog) => sysListen(fd, backlog), shutdown: (how) => shutdown(fd, how),
  };
}

describe('listen family', () => {
  it('listens on its own copy of a socket with an allowed port, and closes it', async () => {
    await withServer({ port: 0, host: '127.0.0.1' }, async (fd, port) => {
      expect(await listenOn(new Supervised(listen({ bindPorts: [port] })), fd)).toEqual({ kind: 'returnValue', value: 0n, closed: true });
      expect(await listenOn(new Supervised(listen({ bindPorts: [port === 80 ? 81 : 80] })), fd)).toMatchObject({ errno: 'EACCES', closed: true });
      expect(await listenOn(new Supervised(listen({ bindPorts: [] })), fd)).toMatchObject({ errno: 'EACCES', closed: true });
      expect(await listenOn(new Supervised(listen({ bindPorts: [0] })), fd)).toMatchObject({ kind: 'returnValue' });
      expect(await listenOn(new Supervised(listen({ bindPorts: 'any' })), fd)).toMatchObject({ kind: 'returnValue' });
    });
  });

  it('asks nothing of a unix socket', async () => {
    await withServer({ path: join(tmpdir(), `builtins-listen-${process.pid}.sock`) }, async (fd) => {
      expect(await listenOn(new Supervised(listen({ bindPorts: [] })), fd)).toEqual({ kind: 'returnValue', value: 0n, closed: true });
    });
  });

  it('ends the listening of a socket whose port became another in that moment', async () => {
    const SO_ACCEPTCONN = 30;
    await withServer({ port: 0, host: '127.0.0.1' }, async (fd) => {
      let asked = 0;
      expect(listenOnCopy(copyAt(fd), 5, () => ++asked === 1)).toBe(action.errno('EACCES'));
      expect([asked, getsockoptInt(fd, SOL_SOCKET, SO_ACCEPTCONN)]).toEqual([2, 0]);
      expect(listenOnCopy(copyAt(fd), 5, () => true)).toMatchObject({ kind: 'returnValue' });
      expect(getsockoptInt(fd, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
    });
  });

  it('passes on what the kernel says of other descriptors', async () => {
    const ends = pipe();
    const target = new Supervised(listen({ bindPorts: [80] }));
    expect(await listenOn(target, ends[0])).toMatchObject({ errno: 'ENOTSOCK', closed: true });
    expect(await target.call('listen', [99, 5])).toMatchObject({ errno: 'EBADF' });
    ends.forEach(close);
  });

  it('never continues when it gets no copy', async () => {
    const target = new Supervised(listen({ bindPorts: [80] }));
    for (const error of ['EPERM', 'EMFILE', 'ESRCH', 'EAGAIN', 'ETIMEDOUT'] as const) {
      const open = vi.spyOn(TargetSocket, 'open').mockImplementation(() => {
        throw new SyscallError('pidfd_getfd', -constants.errno[error]);
      });
      expect(await target.call('listen', [7, 5])).toMatchObject({ kind: 'errno', errno: 'EACCES' });
      open.mockRestore();
    }
  });

  it('takes whole port numbers alone', () => {
    for (const port of [-1, 65536, 1.5, Number.NaN]) expect(() => listen({ bindPorts: [port] })).toThrow(RangeError);
  });
});
