import { CLOCK_REALTIME, clockGettime } from '@sandlock/sys';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { fileTimes } from '../src/file-times/file-times.js';
import { shownMoment, showStat, showStatx, storeTimes } from '../src/file-times/shown-times.js';
import { startClock, type VirtualClock } from '../src/time/virtual-clock.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const SECOND = 1_000_000_000n;
const START = 946_684_800n * SECOND + 123n;
const times = (...values: readonly bigint[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => bytes.writeBigInt64LE(value, i * 8));
  return bytes;
};
const running = startClock(START);
const still = startClock(START, { frozen: true });

describe('the time of a file', () => {
  it('is as far off as the clock', () => {
    for (const ns of [0n, running.startedAt, running.startedAt + SECOND]) expect(shownMoment(running, ns) - ns).toBe(running.offsetNs);
  });

  it('is that of a clock that stands still for what happened since, and as far off for the rest', () => {
    const now = clockGettime(CLOCK_REALTIME);
    // Files have the time of the last tick, so what was just made may be older than the start.
    for (const ns of [still.startedAt - 4_000_000n, still.startedAt, now]) expect(shownMoment(still, ns)).toBe(START);
    for (const ns of [still.startedAt - SECOND, 0n, now + 3600n * SECOND]) expect(shownMoment(still, ns) - ns).toBe(still.offsetNs);
  });

  it('is kept so that it is shown as it was set, before 1970 and at the ends of what can be said, too', () => {
    for (const [seconds, nanoseconds] of [[0n, 0n], [-5n, 999_999_999n], [4_102_444_800n, 1n]] as const) {
      const bytes = times(seconds, nanoseconds, seconds, 7n);
      storeTimes(running, bytes);
      const kept = bytes.readBigInt64LE(0) * SECOND + bytes.readBigInt64LE(8);
      expect(shownMoment(running, kept)).toBe(seconds * SECOND + nanoseconds);
      const stat = Buffer.alloc(144);
      bytes.copy(stat, 88, 16, 32);
      showStat(running, stat);
      expect([stat.readBigInt64LE(88), stat.readBigInt64LE(96)]).toEqual([seconds, 7n]);
    }
    const far = times(2n ** 63n - 1n, 0n, -(2n ** 63n), 0n);
    storeTimes(running, far);
    expect([far.readBigInt64LE(0), far.readBigInt64LE(16)]).toEqual([2n ** 63n - 1n, -(2n ** 63n) - running.offsetNs / SECOND]);
  });

  it('is left where it is none: now, unchanged, nonsense, and what statx(2) does not tell', () => {
    const none = times(1n, (1n << 30n) - 1n, 2n, (1n << 30n) - 2n);
    const nonsense = times(1n, SECOND, 2n, -1n);
    for (const bytes of [none, nonsense]) {
      const before = Buffer.from(bytes);
      storeTimes(running, bytes);
      expect(bytes).toEqual(before);
    }
    const statx = Buffer.alloc(256);
    statx.writeUInt32LE(0x40, 0);
    showStatx(running, statx);
    expect([64, 80, 96].map((at) => statx.readBigInt64LE(at))).toEqual([0n, 0n, 0n]);
    expect(statx.readBigInt64LE(112)).not.toBe(0n);
  });
});

describe('calls about the times of files', () => {
  const target = (clock: VirtualClock = running) => new Supervised(fileTimes({ clock }));
  const AT_FDCWD = -100;

  it('are answered for what is there, and for what of /proc is one\'s own or nobody\'s', async () => {
    const tasks = target();
    const to = tasks.memory(Buffer.alloc(256));
    const directory = mkdtempSync(join(tmpdir(), 'file-times-'));
    writeFileSync(join(directory, 'file'), '');
    for (const path of [join(directory, 'file'), '/', '/proc/self/status', '/proc/self/cwd/.', `/proc/${process.pid}/status`, '/proc/version']) {
      expect(await tasks.call('newfstatat', [AT_FDCWD, tasks.memory(path), to, 0]), path).toMatchObject({ kind: 'returnValue', value: 0n });
    }
    const at = (offset: number) => tasks.listener.memory(process.pid, to + BigInt(offset), 8).readBigInt64LE();
    await tasks.call('newfstatat', [AT_FDCWD, tasks.memory(join(directory, 'file')), to, 0]);
    expect(at(88) * SECOND + at(96)).toBe(statSync(join(directory, 'file'), { bigint: true }).mtimeNs + running.offsetNs);
    rmSync(directory, { recursive: true });
  });

  it('are left to the kernel for what of /proc is another process\'s, by whatever way', async () => {
    const tasks = target();
    const to = tasks.memory(Buffer.alloc(256));
    for (const path of ['/proc/1', '/proc/1/status', '/proc/1/task/1/status', '/proc/1/root/etc', '/proc/1/cwd', '/proc/self/root/proc/1/fd/0', '/proc/1/root/../proc/self']) {
      expect(await tasks.call('newfstatat', [AT_FDCWD, tasks.memory(path), to, 0]), path).toMatchObject({ kind: 'continue' });
      expect(await tasks.call('utimensat', [AT_FDCWD, tasks.memory(path), 0, 0]), path).toMatchObject({ kind: 'continue' });
    }
  });

  it('fail where they cannot be answered, and show nothing', async () => {
    const tasks = target();
    const to = tasks.memory(Buffer.alloc(256));
    const path = tasks.memory('/');
    expect(await tasks.call('newfstatat', [AT_FDCWD, path, 8, 0])).toMatchObject({ kind: 'errno', errno: 'EFAULT' });
    expect(await tasks.call('newfstatat', [AT_FDCWD, path, to, 0], { pid: 0x3ffff0 })).toMatchObject({ kind: 'errno' });
    expect(await tasks.call('fstat', [0, to], { pid: 0x3ffff0 })).toMatchObject({ kind: 'errno' });
    expect(await tasks.call('utimensat', [AT_FDCWD, path, to, 0], { pid: 0x3ffff0 })).toMatchObject({ kind: 'errno' });
  });
});
