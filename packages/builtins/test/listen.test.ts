import { action } from '@sandlock/dispatch';
import { close, fcntlDupFd, getsockoptInt, pipe, SOL_SOCKET } from '@sandlock/sys';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { listen } from '../src/index.js';
import { listenOnCopy } from '../src/listen-on-copy.js';
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

/** The target's listen on what this process has as `fd`. @returns the response, and whether the copy was closed */
async function listenOn(target: Supervised, fd: number) {
  const copy = fcntlDupFd(fd, 3);
  const what = readlinkSync(`/proc/self/fd/${copy}`);
  target.listener.targetFds.set(`${process.pid}:7`, copy);
  const response = await target.call('listen', [7, 5]);
  let closed = true;
  try {
    closed = readlinkSync(`/proc/self/fd/${copy}`) !== what;
  } catch { /* closed */ }
  return { ...response, closed };
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
      expect(listenOnCopy(fd, 5, () => ++asked === 1)).toBe(action.errno('EACCES'));
      expect([asked, getsockoptInt(fd, SOL_SOCKET, SO_ACCEPTCONN)]).toEqual([2, 0]);
      expect(listenOnCopy(fd, 5, () => true)).toMatchObject({ kind: 'returnValue' });
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
    for (const error of ['EPERM', 'EMFILE', 'ESRCH'] as const) {
      target.listener.fail('dupFd', error);
      expect(await target.call('listen', [7, 5])).toMatchObject({ kind: 'errno', errno: 'EACCES' });
    }
  });

  it('takes whole port numbers alone', () => {
    for (const port of [-1, 65536, 1.5, Number.NaN]) expect(() => listen({ bindPorts: [port] })).toThrow(RangeError);
  });
});
