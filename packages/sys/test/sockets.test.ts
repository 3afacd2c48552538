import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import {
  AF_INET, AF_UNIX, close, getsocknamePort, getsockoptInt, IPPROTO_TCP, listen, pipe, SHUT_RD, shutdown, SO_DOMAIN,
  SO_PROTOCOL, SO_TYPE, SOCK_STREAM, SOL_SOCKET,
} from '../src/index.js';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => { server.close(resolve); });
});

async function listening(where: { port: number; host: string } | { path: string }): Promise<{ fd: number; server: Server }> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => { server.listen(where, resolve); });
  return { fd: (server as unknown as { _handle: { fd: number } })._handle.fd, server };
}

describe('sockets', () => {
  it('tell family, type, protocol and port', async () => {
    const { fd, server } = await listening({ port: 0, host: '127.0.0.1' });
    expect([SO_DOMAIN, SO_TYPE, SO_PROTOCOL].map((option) => getsockoptInt(fd, SOL_SOCKET, option)))
      .toEqual([AF_INET, SOCK_STREAM, IPPROTO_TCP]);
    expect(getsocknamePort(fd)).toBe((server.address() as { port: number }).port);
    expect(() => listen(fd, 5)).not.toThrow();
  });

  it('have no port in the unix family', async () => {
    const { fd } = await listening({ path: join(tmpdir(), `sockets-${process.pid}.sock`) });
    expect(getsockoptInt(fd, SOL_SOCKET, SO_DOMAIN)).toBe(AF_UNIX);
    expect(() => getsocknamePort(fd)).toThrow(expect.objectContaining({ code: 'EAFNOSUPPORT', syscall: 'getsockname' }));
  });

  it('stop listening when they are shut down for reading', async () => {
    const { fd } = await listening({ port: 0, host: '127.0.0.1' });
    shutdown(fd, SHUT_RD);
    expect(() => shutdown(fd, SHUT_RD)).toThrow(expect.objectContaining({ code: 'ENOTCONN' }));
    expect(() => listen(fd, 5)).not.toThrow();
  });

  it('are not what other descriptors are', () => {
    const ends = pipe();
    for (const call of [() => listen(ends[0], 1), () => getsocknamePort(ends[0]), () => shutdown(ends[0], SHUT_RD)]) {
      expect(call).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }));
    }
    ends.forEach(close);
    expect(() => getsockoptInt(ends[0], SOL_SOCKET, SO_TYPE)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});
