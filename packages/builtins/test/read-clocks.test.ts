import { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI, clockGettime } from '@sandlock/sys';
import { afterEach, describe, expect, it } from 'vitest';

import { readClocks } from '../src/time/read-clocks.js';
import { CALENDAR_CLOCKS, machinesDeadline, shownTime, startClock } from '../src/time/virtual-clock.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const SECOND = 1_000_000_000n;
const START = 946_684_800n * SECOND;

function supervised(isVdsoCall: boolean, clock = startClock(START)) {
  return new Supervised({ name: 'clocks', handlers: readClocks(clock, () => isVdsoCall) });
}

describe('the time by system call', () => {
  it('is the sandbox\'s where a program asks', async () => {
    const tasks = supervised(false);
    const at = tasks.memory(Buffer.alloc(16));
    expect(await tasks.call('clock_gettime', [CLOCK_REALTIME, at])).toMatchObject({ kind: 'returnValue', value: 0n });
    const shown = tasks.listener.memory(process.pid, at, 16);
    const ns = shown.readBigInt64LE() * SECOND + shown.readBigInt64LE(8);
    expect(ns - START).toBeGreaterThanOrEqual(0n);
    expect(ns - START).toBeLessThan(10n * SECOND);
    expect(await tasks.call('time', [0])).toMatchObject({ kind: 'returnValue', value: START / SECOND });
  });

  it('is left to the kernel where the code of the vDSO asks, to which the offset is added afterwards', async () => {
    const tasks = supervised(true);
    const at = tasks.memory(Buffer.alloc(16));
    expect(await tasks.call('clock_gettime', [CLOCK_REALTIME, at])).toMatchObject({ kind: 'continue' });
    expect(await tasks.call('gettimeofday', [at, 0])).toMatchObject({ kind: 'continue' });
  });

  it('is the start and nothing else where it stands still, to what each call can show', async () => {
    const tasks = supervised(false, startClock(START + 123_456_789n, { frozen: true }));
    const at = tasks.memory(Buffer.alloc(16));
    const shown = () => {
      const bytes = tasks.listener.memory(process.pid, at, 16);
      return [bytes.readBigInt64LE(), bytes.readBigInt64LE(8)];
    };
    for (const clock of [CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI]) {
      expect(await tasks.call('clock_gettime', [clock, at])).toMatchObject({ kind: 'returnValue', value: 0n });
      expect(shown()).toEqual([START / SECOND, 123_456_789n]);
      expect(await tasks.call('clock_gettime', [clock, 8])).toMatchObject({ kind: 'errno', errno: 'EFAULT' });
    }
    expect(await tasks.call('gettimeofday', [at, 0])).toMatchObject({ kind: 'returnValue', value: 0n });
    expect(shown()).toEqual([START / SECOND, 123_456n]);
    expect(await tasks.call('time', [at])).toMatchObject({ kind: 'returnValue', value: START / SECOND });
    expect(shown()[0]).toBe(START / SECOND);
  });

  it('fails as the kernel fails, and a clock that counts from an event is not asked about', async () => {
    const tasks = supervised(false);
    const at = tasks.memory(Buffer.alloc(16));
    for (const call of ['clock_gettime', 'gettimeofday']) {
      expect(await tasks.call(call, call === 'clock_gettime' ? [CLOCK_REALTIME, 8] : [8, 0]), call).toMatchObject({ kind: 'errno', errno: 'EFAULT' });
    }
    expect(await tasks.call('time', [8])).toMatchObject({ kind: 'errno', errno: 'EFAULT' });
    expect(await tasks.call('gettimeofday', [at, 8])).toMatchObject({ kind: 'errno', errno: 'EFAULT' });
    expect(await tasks.call('clock_gettime', [CLOCK_MONOTONIC, at])).toMatchObject({ kind: 'continue' });
    expect(tasks.table.registrations().find(({ name }) => name === 'clock_gettime')!.when).toHaveLength(4);
  });
});

describe('the clock of a sandbox', () => {
  it('is ahead or behind by whole microseconds, and never shows what was before its start', () => {
    for (const start of [START, START + 1n, START + 999n, clockGettime(CLOCK_REALTIME) + 3600n * SECOND]) {
      const before = clockGettime(CLOCK_REALTIME_COARSE);
      const clock = startClock(start);
      expect(clock.offsetNs % 1000n).toBe(0n);
      expect(before + clock.offsetNs - start).toBeLessThan(1000n);
      for (const id of [CLOCK_REALTIME, CLOCK_REALTIME_COARSE]) expect(shownTime(clock, id)).toBeGreaterThanOrEqual(start);
    }
  });

  it('is as far from a deadline as it says, and where it stands still, whenever it is asked', () => {
    const running = startClock(START);
    for (const id of CALENDAR_CLOCKS) expect(machinesDeadline(running, id, START + SECOND)).toBe(START + SECOND - running.offsetNs);
    const still = startClock(START, { frozen: true });
    for (const id of CALENDAR_CLOCKS) {
      const machine = () => clockGettime(id === CLOCK_TAI ? CLOCK_TAI : CLOCK_REALTIME);
      for (const away of [SECOND, 0n, -SECOND]) {
        const [before, deadline, after] = [machine(), machinesDeadline(still, id, START + away), machine()];
        expect(deadline - away >= before && deadline - away <= after, `${id} ${away}`).toBe(true);
      }
    }
  });
});
