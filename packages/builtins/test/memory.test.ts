import { DispatchTable } from '@sandlock/dispatch';
import { memfdCreate } from '@sandlock/sys';
import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { memory, ProcessTree } from '../src/index.js';
import { Measurements } from '../src/memory/measurements.js';
import { OneAtATime } from '../src/one-at-a-time.js';
import { Deadline } from '../src/memory/deadline.js';
import { LatestObjects } from '../src/memory/latest-objects.js';
import { MemoryMeter } from '../src/memory/memory-meter.js';
import type { MemoryAccount } from '../src/memory/memory-account.js';
import { MemoryWatch } from '../src/memory/memory-watch.js';
import { parseMemoryStatus, readMemoryStatus } from '../src/memory/memory-status.js';
import { SharedObjects } from '../src/memory/shared-objects.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const MIB = 2 ** 20;
/** No guard: there are no members, so nothing is in use. */
const family = (onExceeded: 'kill' | 'enomem' = 'enomem') => memory({ limitBytes: 64 * MIB, onExceeded, members: new ProcessTree(() => 0) });

describe('memory family', () => {
  it('takes a whole number of bytes from 1', () => {
    for (const limitBytes of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 60, '3' as unknown as number]) {
      expect(() => memory({ limitBytes, members: new ProcessTree(() => 0) }), String(limitBytes)).toThrow(RangeError);
    }
  });

  it('is asked about large writable anonymous mappings only, and never about munmap or reservations', () => {
    const table = new DispatchTable({ arch: 'x86_64' }).family(family());
    const calls = Object.fromEntries(table.registrations().map(({ name, when }) => [name, when]));
    expect(Object.keys(calls).sort()).toEqual(['brk', 'clone', 'close_range', 'memfd_create', 'mmap', 'mremap', 'shmget', 'vmsplice']);
    expect(calls['mmap']).toEqual([[
      { index: 1, op: 'ge', value: 131072n, width: 64 },
      { index: 2, op: 'maskedEq', mask: 2n, value: 2n, width: 32 },
      { index: 3, op: 'maskedEq', mask: 0x4030n, value: 0x20n, width: 32 },
    ]]);
    expect(calls['brk']).toEqual([[{ index: 0, op: 'ne', value: 0n, width: 64 }]]);
  });

  it('fails a request that does not fit, and leaves one to the kernel that fits nowhere', async () => {
    const target = new Supervised(family());
    const map = (bytes: number | bigint) => target.call('mmap', [0, bytes, 3, 0x22, -1, 0]);
    expect(await map(61 * MIB)).toMatchObject({ errno: 'ENOMEM' }); // a sixteenth before the limit
    expect(await map(60 * MIB)).toEqual({ kind: 'continue' });
    expect(await map(2n ** 63n)).toEqual({ kind: 'continue' });
    expect(await target.call('mremap', [0x1000, 10 * MIB, 80 * MIB, 1])).toMatchObject({ errno: 'ENOMEM' });
    expect(await target.call('mremap', [0x1000, 80 * MIB, 10 * MIB, 1])).toEqual({ kind: 'continue' });
  });

  it('answers a brk that does not fit with the end as it is, never with an errno that looks like an address', async () => {
    const target = new Supervised(family());
    const heap = await target.call('brk', [2n ** 46n]);
    expect(heap.kind).toBe('returnValue');
    expect((heap as unknown as { value: bigint }).value).toBeGreaterThan(0n);
    // Nothing can be learned about this one.
    expect(await target.call('brk', [2n ** 46n], { pid: 2 ** 22 + 1 })).toMatchObject({ kind: 'returnValue', value: 0n });
  });
});

describe('who is ended beyond the limit', () => {
  it('is nobody whose number is no member\'s by now', async () => {
    const ended = async (has: boolean): Promise<boolean> => {
      const child = spawn('/bin/sleep', ['60']);
      const over = new Promise<void>((resolve) => { child.once('exit', () => resolve()); });
      const measured = { usedBytes: 2, shares: new Map([[child.pid!, 2]]), busyMs: 0 };
      let looks = 0;
      let looked!: () => void;
      const twice = new Promise<void>((resolve) => { looked = resolve; });
      const account = { bound: 2, measure: async () => { if (++looks === 3) looked(); return measured; } } as unknown as MemoryAccount;
      const watch = new MemoryWatch({ members: { has: () => has } as unknown as ProcessTree, account, limitBytes: 1, onKill: () => undefined });
      watch.within(0);
      await twice; // what came of the first look is done
      watch.stop();
      child.kill('SIGTERM'); // whoever lives ends by this
      await over;
      return child.signalCode === 'SIGKILL';
    };
    expect([await ended(true), await ended(false)]).toEqual([true, false]);
  });
});

describe('what a sandbox uses', () => {
  const members = (...pids: number[]) => ({ living: () => pids } as unknown as ProcessTree);
  const own = members(process.pid);

  it('has no part of a process that was ended for it', async () => {
    const meter = new MemoryMeter({ members: own, objects: new SharedObjects(), limitBytes: 2 ** 40 });
    expect((await meter.measure()).usedBytes).toBeGreaterThan(MIB);
    expect(meter.atOnce()!.usedBytes).toBeGreaterThan(MIB);
    meter.killed(process.pid);
    expect(await meter.measure()).toEqual({ usedBytes: 0, shares: new Map(), busyMs: 0 });
    expect(meter.atOnce()).toEqual({ usedBytes: 0, shares: new Map(), busyMs: 0 });
  });

  it('cannot be said at once where objects may be about that are in no counter', async () => {
    const objects = new SharedObjects();
    const meter = new MemoryMeter({ members: own, objects, limitBytes: 2 ** 40 });
    const fd = memfdCreate('counted', 0);
    writeSync(fd, Buffer.alloc(8 * MIB, 1));
    const without = (await meter.measure()).usedBytes;
    objects.expectMemfd();
    expect(meter.atOnce()).toBeUndefined();
    const measured = await meter.measure();
    expect(measured.usedBytes - measured.shares.get(process.pid)!).toBe(8 * MIB);
    expect(measured.usedBytes).toBeGreaterThan(without);
    closeSync(fd);
  });

  it('is worked out in another thread, so that this one goes on', async () => {
    const meter = new MemoryMeter({ members: own, objects: new SharedObjects(true), limitBytes: 1 });
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    for (let n = 0; n < 3; n++) await meter.measure();
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('is as much as the limit at least for one whose descriptors are too many to look through, and not for others', async () => {
    const other = spawn('/bin/sleep', ['60']);
    const objects = new SharedObjects(true, 10);
    const meter = new MemoryMeter({ members: members(process.pid, other.pid!), objects, limitBytes: 2 ** 40 });
    const { shares } = await meter.measure();
    expect(shares.get(process.pid)!).toBeGreaterThan(2 ** 40);
    expect(shares.get(other.pid!)!).toBeLessThan(10 * MIB);
    other.kill('SIGKILL');
  });

  it('is what counters say where working it out takes too long, and nothing of who has ended', async () => {
    const measure = async (maxBusyMs?: number) => (
      new MemoryMeter({ members: members(process.pid, 2 ** 22 + 1), objects: new SharedObjects(), limitBytes: 1, ...maxBusyMs === undefined ? {} : { maxBusyMs } })).measure();
    const counters = new MemoryMeter({ members: own, objects: new SharedObjects(), limitBytes: 2 ** 40 }).atOnce()!.usedBytes;
    const hurried = await measure(0);
    expect([hurried.busyMs, [...hurried.shares.keys()]]).toEqual([0, [process.pid]]);
    expect(hurried.usedBytes).toBeGreaterThan(counters / 2);
    expect((await measure()).busyMs).toBeGreaterThan(0);
  });

  it('is what counters say where a read does not end, and no other read is begun beside that one', async () => {
    let reads = 0;
    const read = async () => {
      reads++;
      return await new Promise<never>(() => undefined);
    };
    const other = spawn('/bin/sleep', ['60']);
    const meter = new MemoryMeter({ members: members(process.pid, other.pid!), objects: new SharedObjects(), limitBytes: 1, maxMs: 20, read });
    const counters = new MemoryMeter({ members: own, objects: new SharedObjects(), limitBytes: 2 ** 40 }).atOnce()!.usedBytes;
    for (let n = 0; n < 3; n++) {
      const { shares } = await meter.measure();
      expect([...shares.keys()]).toEqual([process.pid, other.pid]);
      expect(shares.get(process.pid)!).toBeGreaterThan(counters / 2);
    }
    expect(reads).toBe(1);
    other.kill('SIGKILL');
  });

  it('is what counters say where a read finds nothing of a process that lives: the thread that was asked about had ended', async () => {
    const read = async () => ({ bytes: 0, sharedBytes: 0, busyMs: 0 });
    const meter = new MemoryMeter({ members: members(process.pid, 2 ** 22 + 1), objects: new SharedObjects(), limitBytes: 1, read });
    const { shares } = await meter.measure();
    expect([...shares.keys()]).toEqual([process.pid]);
    expect(shares.get(process.pid)!).toBeGreaterThan(MIB);
  });

  it('has in it what a process has grown by since it was worked out', async () => {
    const other = spawn('/bin/sleep', ['60']);
    const grown: Buffer[] = [];
    // The larger one, which is this process, comes first, and has little; it grows while the other one is read.
    const read = async (pid: number) => {
      if (pid === other.pid) grown.push(Buffer.alloc(64 * MIB, 1));
      return { bytes: 10, sharedBytes: 0, busyMs: 0 };
    };
    const meter = new MemoryMeter({ members: members(process.pid, other.pid!), objects: new SharedObjects(), limitBytes: 1, read });
    const { shares } = await meter.measure();
    expect(grown.length).toBe(1);
    expect(shares.get(process.pid)!).toBeGreaterThan(32 * MIB);
    expect(shares.get(other.pid!)!).toBeLessThan(MIB);
    other.kill('SIGKILL');
  });

  it('has the shared objects of the last look where a look does not end, and after a while the limit for everybody', async () => {
    const last = { bytes: 5, sizes: new Map(), unseen: new Set<number>(), busyMs: 1 };
    let looks = 0;
    const find = async () => ++looks === 1 ? last : await new Promise<never>(() => undefined);
    const latest = (maxLateMs: number) => {
      looks = 0;
      return new LatestObjects({ find } as unknown as SharedObjects, new OneAtATime(), maxLateMs);
    };
    const statuses = [readMemoryStatus(process.pid)!];
    const patient = latest(60_000);
    expect(await patient.find(statuses, new Deadline(60_000))).toBe(last);
    expect(await patient.find(statuses, new Deadline(20))).toEqual({ ...last, busyMs: 0 });
    const hasty = latest(1);
    expect(await hasty.find(statuses, new Deadline(60_000))).toBe(last);
    expect(await hasty.find(statuses, new Deadline(20))).toEqual({ ...last, unseen: new Set([process.pid]), busyMs: 0 });
  });
});

describe('measurements', () => {
  it('are shared by those who ask while one is under way, and begin after they asked', async () => {
    const begun: { requestBytes: number; end: (usedBytes: number) => void }[] = [];
    const measurements = new Measurements(async (requestBytes) => {
      const usedBytes = await new Promise<number>((end) => { begun.push({ requestBytes, end }); });
      return { usedBytes, shares: new Map(), busyMs: 0 };
    });
    const first = measurements.ask(1);
    const later = [measurements.ask(5), measurements.ask(7), measurements.ask(2)];
    expect(begun.map(({ requestBytes }) => requestBytes)).toEqual([1]);
    begun[0]!.end(10);
    expect((await first).usedBytes).toBe(10);
    expect(begun.map(({ requestBytes }) => requestBytes)).toEqual([1, 7]);
    const last = measurements.ask(3);
    begun[1]!.end(20);
    expect((await Promise.all(later)).map(({ usedBytes }) => usedBytes)).toEqual([20, 20, 20]);
    begun[2]!.end(30);
    expect((await last).usedBytes).toBe(30);
    const afterwards = measurements.ask(4);
    expect(begun[3]!.requestBytes).toBe(4);
    begun[3]!.end(0);
    await afterwards;
  });

  it('go on after one that failed', async () => {
    let fails = true;
    const measurements = new Measurements(async () => {
      if (fails) throw new Error('no');
      return { usedBytes: 1, shares: new Map(), busyMs: 0 };
    });
    const asked = [measurements.ask(0), measurements.ask(0)];
    await expect(asked[0]).rejects.toThrow('no');
    fails = false;
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await measurements.ask(0)).usedBytes).toBe(1);
  });
});

describe('what a process uses', () => {
  it('is its anonymous, shared and huge pages, its swap and its page tables', () => {
    const text = 'Name:\tVmSize: 9\nState:\tS\nTgid:\t7\nPid:\t8\nVmPeak:\t 99 kB\nVmSize:\t  90 kB\nRssAnon:\t 1 kB\nRssFile:\t 2 kB\n'
      + 'RssShmem:\t 4 kB\nVmPTE:\t 8 kB\nVmSwap:\t 16 kB\nHugetlbPages:\t 32 kB\n';
    expect(parseMemoryStatus(text)).toMatchObject({ pid: 7, usedBytes: (1 + 4 + 8 + 16 + 32) * 1024 });
    expect(parseMemoryStatus('Name:\tx\nState:\tZ (zombie)\nTgid:\t7\n')).toBeUndefined();
  });
});
