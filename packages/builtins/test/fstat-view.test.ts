/** Files with a view by their descriptors, which are this process's own. */
import { F_SEAL_SEAL, addSeals, memfdCreate, MFD_ALLOW_SEALING } from '@sandlock/sys';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync, fchmodSync, mkdtempSync, openSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync, writeSync, type BigIntStats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { absent, startClock, viewFile, views, watchedFdBase, type ViewsOptions } from '../src/index.js';
import { memfdName, nameOfMemfd } from '../src/views/memfd-name.js';
import { shownIdentity } from '../src/views/shown-identity.js';
import { encodeStat, encodeStatx, takeContent, takeStatxContent } from '../src/views/stat-layout.js';
import { freeWatchedFile } from '../src/views/watched-fds.js';
import { closeAll, Supervised } from './supervised.js';

const AT_EMPTY_PATH = 0x1000n;
const STATX_BASIC = 0x7ff;
const open: number[] = [];

afterEach(async () => {
  for (const fd of open.splice(0)) closeSync(fd);
  await closeAll();
});

function memfd(name: string, content = 'four'): number {
  const fd = memfdCreate(Buffer.from(name, 'latin1'), MFD_ALLOW_SEALING);
  open.push(fd);
  writeSync(fd, content);
  fchmodSync(fd, 0o444);
  addSeals(fd, F_SEAL_SEAL);
  return fd;
}

const some = [...['/etc/passwd', '/nowhere/one', '/nowhere/other', '/proc/self/mounts', '/proc/uptime'].map((path) => viewFile(path, () => path)), absent('/etc/group')];

/** That descriptor is the last of the watched files. */
function watching(fd: number, options: Partial<ViewsOptions> = {}): Supervised {
  return new Supervised(views({
    views: some, grants: { mayRead: () => true, mayWrite: () => true },
    members: { isMember: (pid) => pid === process.pid, pids: () => [], count: () => 0 }, watchedFdBase: fd + 1, procGranted: true, ...options,
  }));
}

interface Told { readonly dev: bigint; readonly ino: bigint; readonly nlink: bigint; readonly mode: number; readonly size: bigint; readonly blocks: bigint; readonly mtime: bigint }

/** By each of the calls: what it told, or how it was answered otherwise. */
async function told(fd: number, options: Partial<ViewsOptions> = {}): Promise<unknown[]> {
  const target = watching(fd, options);
  const empty = target.memory('');
  const calls: [string, (to: bigint) => (number | bigint)[], (bytes: Buffer) => Told][] = [
    ['fstat', (to) => [fd, to], ofStat], ['newfstatat', (to) => [fd, empty, to, AT_EMPTY_PATH], ofStat],
    ['statx', (to) => [fd, empty, AT_EMPTY_PATH, STATX_BASIC, to], ofStatx], ['statx', (to) => [fd, 0, AT_EMPTY_PATH, STATX_BASIC, to], ofStatx],
  ];
  const answers: unknown[] = [];
  for (const [name, args, read] of calls) {
    const to = target.memory(Buffer.alloc(256));
    const { kind, errno } = await target.call(name, args(to));
    answers.push(kind === 'returnValue' ? read(target.listener.memory(process.pid, to, 256)) : errno ?? kind);
  }
  return answers;
}

// As on x86-64, which these tests run as.
const ofStat = (bytes: Buffer): Told => ({
  dev: bytes.readBigUInt64LE(0), ino: bytes.readBigUInt64LE(8), nlink: bytes.readBigUInt64LE(16), mode: bytes.readUInt32LE(24),
  size: bytes.readBigUInt64LE(48), blocks: bytes.readBigUInt64LE(64), mtime: bytes.readBigInt64LE(88),
});
const ofStatx = (bytes: Buffer): Told => ({
  dev: BigInt((bytes.readUInt32LE(136) << 8) | bytes.readUInt32LE(140)), ino: bytes.readBigUInt64LE(32), nlink: BigInt(bytes.readUInt32LE(16)),
  mode: bytes.readUInt16LE(28), size: bytes.readBigUInt64LE(40), blocks: bytes.readBigUInt64LE(48), mtime: bytes.readBigInt64LE(112),
});
const identity = ({ dev, ino, nlink }: BigIntStats) => ({ dev, ino, nlink });
const machines = (path: string) => identity(statSync(path, { bigint: true }));

describe.skipIf(process.arch !== 'x64')('fstat(2) of a file with a view [x86-64]', () => {
  it('tells of the file of its name, with the size and mode that were handed out', async () => {
    for (const name of ['/etc/passwd', `/proc/${process.pid}/mounts`, '/proc/uptime']) {
      expect(await told(memfd(`sandlock:${name}`))).toEqual(Array(4).fill(expect.objectContaining({ ...machines(name), mode: 0o100444, size: 4n, blocks: 1n })));
    }
  });

  it('tells all that stat(2) does where that is left to the kernel, by the clock of files', async () => {
    const fd = memfd('sandlock:/etc/passwd');
    const mtime = statSync('/etc/passwd', { bigint: true }).mtimeNs / 1_000_000_000n;
    const rest = { ...machines('/etc/passwd'), mode: 0o100444, size: 4n, blocks: 8n };
    expect(await told(fd, { procGranted: false })).toEqual(Array(4).fill({ ...rest, mtime }));
    const clock = startClock(0n);
    const shown = (statSync('/etc/passwd', { bigint: true }).mtimeNs + clock.offsetNs);
    const shownSeconds = (shown - ((shown % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n) / 1_000_000_000n;
    expect(await told(fd, { procGranted: false, clock })).toEqual(Array(4).fill({ ...rest, mtime: shownSeconds }));
    expect(await told(fd, { clock })).toEqual(Array(4).fill(expect.objectContaining({ mtime: 0n })));
  });

  it('tells of no device and of different files where the machine has none', async () => {
    const numbers = new Set<bigint>();
    for (const name of ['/nowhere/one', '/nowhere/other']) {
      for (const procGranted of [true, false]) {
        const [first, ...others] = await told(memfd(`sandlock:${name}`), { procGranted }) as Told[];
        expect(first).toMatchObject({ dev: 0n, nlink: 1n, size: 4n });
        expect(others).toEqual(Array(3).fill(first));
        numbers.add(first!.ino);
      }
    }
    expect(numbers.size).toBe(2);
  });

  it('is left to the kernel for everything else, whatever it is called', async () => {
    const names = [
      'sandlock', 'sandlock:', 'other:/etc/passwd', 'sandlock:/etc/hostname', 'sandlock:/etc/../etc/passwd', 'sandlock://etc/passwd', 'sandlock:/etc/group', 'sandlock:/proc/1/mounts',
      'sandlock:/proc/1/task/1/mounts', `sandlock:/proc/${process.ppid}/mounts`,
    ];
    for (const name of names) expect(await told(memfd(name))).toEqual(Array(4).fill('continue'));
    const passwd = openSync('/etc/passwd', 'r');
    open.push(passwd);
    expect(await told(passwd)).toEqual(Array(4).fill('continue'));
    const closed = openSync('/etc/passwd', 'r');
    closeSync(closed);
    expect(await told(closed)).toEqual(Array(4).fill('continue'));
  });

  it('tells of no device where a link stands in place of the file that leads to what another process has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fstat-view-'));
    try {
      const path = join(realpathSync(folder), 'hosts');
      symlinkSync(`/proc/${process.ppid}/cwd`, path);
      for (const procGranted of [true, false]) {
        const answers = await told(memfd(`sandlock:${path}`), { procGranted, views: [viewFile(path, () => path)] });
        expect(answers).toEqual(Array(4).fill(expect.objectContaining({ dev: 0n, nlink: 1n, size: 4n })));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('does not take whoever asks for this process', async () => {
    const [{ dev }] = await told(memfd('sandlock:/proc/self/mounts')) as [Told];
    expect(dev).toBe(0n);
    expect(shownIdentity('/proc/thread-self/mounts', process.pid).dev).toBe(0n);
  });

  it('is only about the descriptor itself, and never continues for what could not be read', async () => {
    const fd = memfd('sandlock:/etc/passwd');
    const target = watching(fd);
    const to = target.memory(Buffer.alloc(256));
    const path = target.memory('x');
    expect(await target.call('newfstatat', [fd, path, to, AT_EMPTY_PATH])).toEqual({ kind: 'continue' });
    expect(await target.call('statx', [fd, target.memory(''), AT_EMPTY_PATH | 0x10000n, STATX_BASIC, to])).toEqual({ kind: 'continue' });
    expect(await target.call('statx', [fd, 0, AT_EMPTY_PATH, 0x80000000, to])).toEqual({ kind: 'continue' });
    expect(await target.call('newfstatat', [fd, 0x666000, to, AT_EMPTY_PATH])).toMatchObject({ errno: 'EFAULT' });
    expect(await target.call('fstat', [fd, 0x666000])).toMatchObject({ errno: 'EFAULT' });
    expect(await target.call('fstat', [BigInt(fd) | (1n << 40n), to])).toMatchObject({ kind: 'returnValue' });
    target.listener.fail('readMemory', 'EPERM');
    expect(await target.call('newfstatat', [fd, path, to, AT_EMPTY_PATH])).toMatchObject({ errno: 'EACCES' });
  });
});

describe('what of fstat(2) is notified', () => {
  it('is about the numbers of watched files, by an empty path', () => {
    const conditions = (procGranted: boolean) => views({
      views: some, grants: { mayRead: () => true, mayWrite: () => true }, members: { isMember: () => true, pids: () => [], count: () => 0 },
      watchedFdBase: 960, procGranted,
    }).handlers;
    const range = (first: bigint, end: bigint) => [{ index: 0, op: 'ge', value: first, width: 32 }, { index: 0, op: 'lt', value: end, width: 32 }];
    const [few, further] = [range(56n, 64n), range(896n, 960n)];
    const empty = (index: number) => ({ index, op: 'maskedEq', value: AT_EMPTY_PATH, mask: AT_EMPTY_PATH, width: 32 });
    for (const handlers of [conditions(false), conditions(true)]) expect(handlers['fstat']).toMatchObject([{ when: few }, { when: further }]);
    const byDescriptor = (flags: number) => [few, further].map((numbers) => ({ when: [...numbers, empty(flags)] }));
    expect(conditions(false)).toMatchObject({ newfstatat: byDescriptor(3), statx: byDescriptor(2) });
    expect(conditions(true)).toMatchObject({
      newfstatat: [{ when: { index: 0, op: 'ge', value: 960n } }, ...byDescriptor(3)], statx: [{}, ...byDescriptor(2)],
    });
  });
});

describe('the number of a file with a view', () => {
  /** Of a shell that has carried out these redirections. */
  async function numberIn(base: number, redirections: string): Promise<number | undefined> {
    const shell = spawn('bash', ['-c', `exec ${redirections}; echo; read line`], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      await once(shell.stdout, 'data');
      return freeWatchedFile(shell.pid!, base);
    } finally {
      shell.stdin.end();
      await once(shell, 'close');
    }
  }

  it('is a high one that is free, as long as the lowest of these is', async () => {
    expect(await numberIn(16, '3< /dev/null')).toBe(15);
    expect(await numberIn(16, '15< /dev/null 14< /dev/null')).toBe(13);
    // Then the kernel is about to hand them out itself.
    expect(await numberIn(16, '8< /dev/null')).toBeUndefined();
  });

  it('is of the table that every process has, and a higher one when few of these are left', async () => {
    expect(await numberIn(960, '3< /dev/null')).toBe(63);
    expect(await numberIn(960, '63< /dev/null 61< /dev/null')).toBe(62);
    expect(await numberIn(960, '56< /dev/null')).toBe(959);
    expect(await numberIn(960, Array.from({ length: 7 }, (_, n) => `${57 + n}< /dev/null`).join(' '))).toBe(959);
    expect(await numberIn(960, '56< /dev/null 896< /dev/null')).toBeUndefined();
    expect(await numberIn(126, '3< /dev/null')).toBe(125); // the two would overlap
  });

  it('is none where a standard stream is closed', async () => {
    for (const base of [16, 960]) expect(await numberIn(base, '2<&-')).toBeUndefined();
  });

  it('is none where descriptors cannot be seen, or there is next to no room', async () => {
    expect(freeWatchedFile(2 ** 22 + 1, 960)).toBeUndefined();
    for (const limit of [0, 1, 2, 3, 4]) expect(await numberIn(watchedFdBase(limit), '3<&-')).toBeUndefined();
  });

  it('is none for one of several threads, by the id of any', () => {
    const threads = readdirSync('/proc/self/task').map(Number);
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) expect(freeWatchedFile(thread, 960)).toBeUndefined();
  });
});

describe('the name of a handed out file', () => {
  it('is the one under which it was opened, or that of the view', () => {
    expect(String(memfdName('/proc/self/mounts', '/proc/7/task/8/mounts'))).toBe('sandlock:/proc/7/task/8/mounts');
    expect(String(memfdName('/etc/hosts', '/mnt/other'))).toBe('sandlock:/etc/hosts');
    expect(memfdName('/etc/\xff', '/etc/\xff')).toEqual(Buffer.from('sandlock:/etc/\xff', 'latin1'));
    const long = `/etc/${'x'.repeat(240)}`;
    expect(String(memfdName(long, long))).toBe('sandlock');
    memfd(String(memfdName(long.slice(0, 240), long.slice(0, 240))));
  });

  it('is read from its link alone', () => {
    expect(nameOfMemfd('/memfd:sandlock:/etc/hosts (deleted)')).toBe('/etc/hosts');
    expect(nameOfMemfd('/memfd:sandlock:/etc/a\nb (deleted) (deleted)')).toBe('/etc/a\nb (deleted)');
    for (const link of ['/memfd:sandlock (deleted)', '/memfd:sandlock:/etc/hosts', '/tmp/memfd:sandlock:/etc/hosts (deleted)', '/memfd:sandlock:etc (deleted)', '']) {
      expect(nameOfMemfd(link)).toBeUndefined();
    }
  });
});

describe('the structures of stat(2) on other architectures', () => {
  it('are the generic ones', () => {
    const bytes = encodeStat({ mode: 0o100444, size: 513 }, { dev: 0x801n, ino: 77n, nlink: 3n }, 'arm64');
    expect([bytes.length, bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8), bytes.readUInt32LE(16), bytes.readUInt32LE(20), bytes.readBigInt64LE(48), bytes.readBigInt64LE(64)])
      .toEqual([128, 0x801n, 77n, 0o100444, 3, 513n, 2n]);
    const into = Buffer.alloc(128, 0xff);
    takeContent(into, bytes, 'arm64');
    expect([into.readUInt32LE(16), into.readUInt32LE(20), into.readBigInt64LE(48), into.readBigInt64LE(64), into.readBigInt64LE(0)]).toEqual([0o100444, 0xffffffff, 513n, 2n, -1n]);
  });

  it('give device numbers to statx(2) in two parts', () => {
    const bytes = encodeStatx({ mode: 0o100444, size: 1 }, { dev: (0x123n << 8n) | 0x45n | (0xabcn << 20n), ino: 1n, nlink: 1n });
    expect([bytes.readUInt32LE(136), bytes.readUInt32LE(140)]).toEqual([0x123, 0xabc45]);
    const into = Buffer.alloc(256, 0xff);
    takeStatxContent(into, bytes);
    expect([into.readUInt16LE(28), into.readUInt16LE(30), into.readBigInt64LE(40), into.readBigInt64LE(48), into.readBigInt64LE(32)]).toEqual([0o100444, 0xffff, 1n, 1n, -1n]);
  });
});
