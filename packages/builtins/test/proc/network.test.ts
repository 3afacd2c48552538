import type { HandlerContext, NotifAction } from '@sandlock/dispatch';
import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { LOOPBACK_TABLES, zeroed } from '../../src/proc/loopback-tables.js';
import { networkViews } from '../../src/proc/network-views.js';
import { socketInodes } from '../../src/proc/socket-inodes.js';
import { countSockets, filteredSockets, SOCKET_TABLES, socketStatistics } from '../../src/proc/socket-tables.js';

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1129 1 0000000072d8402b 100 0 0 10 0                      
   1: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0000000072d8402b 100 0 0 10 0                      
  12: 0100007F:07E9 0100007F:0000 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0000000072d8402b
`;
const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
00000000e4d0f1a1: 00000002 00000000 00010000 0001 01  1129 /run/secret.sock
00000000e4d0f1a2: 00000003 00000000 00000000 0001 03    77
00000000e4d0f1a3: 00000003 00000000 00000000 0001 03  7777 @name with 77 in it
`;
const NETLINK = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000942f79e6 0   0          00000000 0        0        0     2        0        77      
00000000d8393b04 4   77         00000000 0        0        0     2        0        72468   
`;

describe('tables of sockets', () => {
  const field = (name: string): number => SOCKET_TABLES.get(name)!;

  it('keep the header and the lines of the sandbox\'s own, numbered anew', async () => {
    const [header, line] = TCP.split('\n');
    expect((await filteredSockets(Buffer.from(TCP), field('tcp'), new Set([77]))).split('\n')).toEqual([header, expect.stringMatching(/^ {3}0: 0100007F:07E8 .* 77 1 /), '']);
    expect((await filteredSockets(Buffer.from(TCP), field('tcp'), new Set([1129]))).split('\n')[1]).toBe(line!.replace('72d8402b', '00000000'));
    expect(await filteredSockets(Buffer.from(TCP), field('tcp'), new Set())).toBe(`${header}\n`);
  });

  it('show no address of the kernel, wherever it stands', async () => {
    for (const [name, table, inode] of [['tcp', TCP, 77], ['unix', UNIX, 77], ['netlink', NETLINK, 72468]] as const) {
      const real = table.replace(/\b00000000([0-9a-f]{8})\b(?=:|$| 0 | 4 | 100 )/gm, 'ffff8881$1');
      expect(real.match(/ffff8881/g)!.length).toBeGreaterThan(1);
      const shown = await filteredSockets(Buffer.from(real), field(name), new Set([inode]));
      expect(countSockets(shown)).toBe(1);
      expect(shown).toMatch(/(?<![0-9a-f])0{16}(?![0-9a-f])/);
      expect(shown).not.toContain('ffff8881');
    }
    // The running kernel's own columns: whatever it shows to this process.
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const [, line] = (await filteredSockets(readFileSync('/proc/self/net/tcp'), field('tcp'), await socketInodes([process.pid]))).split('\n');
    expect(line!.trim().split(/\s+/)[11]).toBe('0'.repeat(16));
    server.close();
  });

  it('go by the inode, wherever it stands, and by nothing that looks like it', async () => {
    expect(await filteredSockets(Buffer.from(UNIX), field('unix'), new Set([77]))).toBe(UNIX.split('\n').filter((_, i) => i === 0 || i === 2).join('\n').replace('e4d0f1a2', '00000000') + '\n');
    expect(countSockets(await filteredSockets(Buffer.from(NETLINK), field('netlink'), new Set([77])))).toBe(1);
    expect(countSockets(await filteredSockets(Buffer.from(NETLINK), field('netlink'), new Set([4, 0])))).toBe(0);
  });

  it('are gone through in pieces, with turns for others, and lose no line between two', async () => {
    const lines = Array.from({ length: 5000 }, (_, n) => `00000000e4d0f1a1: 00000002 00000000 00010000 0001 01 ${n} /run/${'x'.repeat(n % 100)}`);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const table = Buffer.from(['Num RefCount Protocol Flags Type St Inode Path', ...lines, ''].join('\n'));
    expect(await filteredSockets(table, field('unix'), new Set(lines.keys()))).toBe(table.toString().replaceAll('e4d0f1a1', '00000000'));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('find a process\'s own in the machine\'s table, and the kernel\'s columns where they are expected', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = (server.address() as { port: number }).port.toString(16).toUpperCase().padStart(4, '0');
    const mine = await filteredSockets(readFileSync('/proc/self/net/tcp'), field('tcp'), await socketInodes([process.pid]));
    expect(mine).toContain(`0100007F:${port} 00000000:0000 0A`);
    expect(await filteredSockets(readFileSync('/proc/self/net/tcp'), field('tcp'), await socketInodes([]))).not.toContain(`:${port}`);
    server.close();
    for (const [name, at] of SOCKET_TABLES) {
      const header = readFileSync(`/proc/self/net/${name}`, 'latin1').split('\n')[0]!.toLowerCase();
      if (at !== field('tcp') || name === 'netlink') expect(header.trim().split(/\s+/)[at], name).toBe('inode');
      else expect(header, name).toContain('inode'); // some of its titles have two columns below them
    }
  });

  it('are counted', () => {
    const { sockstat, sockstat6 } = socketStatistics(7, (table) => ({ tcp: 2, tcp6: 1, udp: 3 })[table] ?? 0);
    expect(sockstat).toMatch(/^sockets: used 7\nTCP: inuse 2 orphan 0 tw 0 alloc 3 mem 0\nUDP: inuse 3 mem 0\n/);
    expect(sockstat6).toMatch(/^TCP6: inuse 1\nUDP6: inuse 0\n/);
  });
});

describe('views of tables of sockets', () => {
  it('are made one after the other, and not for who is gone before its turn', async () => {
    let looks = 0;
    const asker = { pid: process.pid, tgid: process.pid };
    const members = { isMember: () => true, count: () => 1, pids: () => { looks++; return [process.pid]; } };
    const view = networkViews(members).find(({ path }) => path === '/proc/self/net/tcp')!;
    const open = (signal: AbortSignal): PromiseLike<NotifAction> => {
      const answer = view.open({ asker, subject: asker, name: view.path, flags: 0, mayWrite: false });
      if (answer.kind !== 'defer') throw new Error(answer.kind);
      return answer.work({} as HandlerContext, signal) as PromiseLike<NotifAction>;
    };
    const lives = new AbortController().signal;
    const gone = new AbortController();
    const first = open(lives);
    const [dead, last] = [open(gone.signal), open(lives)];
    gone.abort();
    expect((await dead).kind).toBe('errno');
    expect(looks).toBe(1);
    for (const answer of [await first, await last]) {
      expect(answer.kind).toBe('injectFdSend');
      answer.discard();
    }
    expect(looks).toBe(2);
  });
});

describe('tables of the loopback device', () => {
  it('name no other device', () => {
    for (const [name, text] of LOOPBACK_TABLES) expect(text, name).not.toMatch(/eth|wlan|ens|docker/);
  });

  it('begin as this kernel\'s', () => {
    for (const name of ['dev', 'arp', 'route']) {
      expect(LOOPBACK_TABLES.get(name)!.split('\n')[0], name).toBe(readFileSync(`/proc/self/net/${name}`, 'latin1').split('\n')[0]);
    }
  });
});

describe('counters', () => {
  it('are all zero under the kernel\'s names', () => {
    expect(zeroed('Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: MaxConn\nTcp: -1\n')).toBe('Ip: Forwarding DefaultTTL\nIp: 0 0\nTcp: MaxConn\nTcp: 0\n');
    expect(zeroed('Ip6InReceives                   \t2301\nIcmp6OutType133  \t5\n')).toBe('Ip6InReceives                   \t0\nIcmp6OutType133  \t0\n');
  });
});
