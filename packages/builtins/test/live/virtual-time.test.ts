import { CLOCK_REALTIME_ALARM, clockGettime } from '@sandlock/sys';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { freshImages, startClock, vdsoPatch, virtualTime, type VirtualClock } from '../../src/index.js';
import { descriptorLink } from '../../src/proc-file.js';
import { compiled, endAll, hasGcc, inContainer, removeCompiled, Sandboxed } from './sandboxed.js';

afterEach(endAll);
afterAll(removeCompiled);

const hasMusl = spawnSync('musl-gcc', ['--version']).status === 0;
const seconds = (date: string) => Date.parse(date) / 1000;
const families = (clock: VirtualClock) => () => [freshImages([vdsoPatch(clock)]), virtualTime({ clock })];
const PROGRAMS = [
  ['dynamic', [], 'gcc'], ['static', ['-static'], 'gcc'], ...(hasMusl ? [['musl', ['-static'], 'musl-gcc'] as const] : []),
] as const;
const STARTS = ['2000-06-15T12:00:00.250Z', '2040-06-15T12:00:00.750Z'];

const run = (start: string, ...argv: string[]) => runWith(startClock(BigInt(Date.parse(start)) * 1_000_000n), ...argv);

async function runWith(clock: VirtualClock, ...argv: string[]) {
  const sandboxed = new Sandboxed(argv, families(clock));
  const { exit, stdout, stderr } = await sandboxed.done;
  // That the thread of the supervisor did not get a processor for a while says something about the machine.
  const reports = sandboxed.reports.filter(({ type }) => type !== 'blocked');
  expect({ stderr, code: exit.code, signal: exit.signal, reports }).toEqual({ stderr: '', code: 0, signal: null, reports: [] });
  return stdout;
}

/** What of the answers of test/targets/times.c is of a calendar. */
function calendarNames(said: Record<string, number>): string[] {
  // A machine without a clock that can wake it has no alarm clocks.
  const alarm = (() => { try { return clockGettime(CLOCK_REALTIME_ALARM) > 0n; } catch { return false; } })();
  if (!alarm) expect(said).toMatchObject({ alarm: -22, rawAlarm: -22 });
  return [...(alarm ? ['alarm', 'rawAlarm'] : []), 'realtime', 'coarse', 'gettimeofday', 'time', 'timeTo', 'rawRealtime', 'rawCoarse', 'rawGettimeofday',
    ...(process.arch === 'x64' ? ['rawTime', 'rawTimeTo'] : [])];
}

/** Copies of timers that were not let go. */
const ownTimerfds = () => readdirSync('/proc/self/fd').filter((fd) => descriptorLink(process.pid, fd)?.includes('timerfd') === true).length;

/** Every wait took the time it should, refusals are the kernel's, and what counts from an event is the machine's. */
function expectWaits(said: Record<string, number>): void {
  const uptime = process.hrtime()[0];
  for (const each of ['monotonic', 'boottime', 'rawMonotonic']) expect(Math.abs(said[each]! - uptime), each).toBeLessThan(10_000);
  expect(said).toMatchObject({ badPointer: -14, badClock: -22, steps: 0, pastSleep: 0, pastSemaphore: -110, disarmed: 0, noTimerfd: -22 });
  expect(said).toMatchObject({ timerfdBadOld: -14, timerfdBadNew: -14, timerfdBadFlags: -22, timerfdInvalid: -22 });
  expect(ownTimerfds()).toBe(0);
  expect(said['timerfdLeft']).toBeGreaterThan(0);
  expect(said['timerfdLeft']).toBeLessThanOrEqual(60);
  for (const each of ['sleep', 'monotonicSleep', 'relativeSleep', 'semaphore', 'condition', 'mutex', 'timerfd', 'monotonicTimerfd', 'timer', 'queue']) {
    expect(said[each], each).toBeGreaterThanOrEqual(59);
    expect(said[each], each).toBeLessThan(1000);
  }
  expect(said['invalid']).toBeGreaterThanOrEqual(0);
  expect(said['posted']).toBeGreaterThanOrEqual(29);
  expect(said['posted']).toBeLessThan(1000);
}

describe.each(STARTS)('a clock that starts at %s [needs Linux 5.14]', (start) => {
  const year = start.slice(0, 4);

  it('is what programs see, and it runs', async () => {
    expect(await run(start, '/bin/date', '-u', '+%Y-%m-%d %H:%M')).toBe(`${start.slice(0, 10)} 12:00\n`);
    const began = performance.now();
    const [before, after] = (await run(start, '/bin/bash', '-c', 'echo $EPOCHREALTIME; sleep 0.3; echo $EPOCHREALTIME')).split('\n').map(Number);
    const tookMs = performance.now() - began;
    expect(before).toBeGreaterThanOrEqual(seconds(start));
    expect(before).toBeLessThan(seconds(start) + tookMs / 1000);
    expect(after! - before!).toBeGreaterThanOrEqual(0.3);
    expect(after! - before!).toBeLessThan(tookMs / 1000);
  });

  it('is one for all processes', async () => {
    const script = 'date -u +%Y; (date -u +%Y); env sh -c "exec date -u +%Y"; echo $(date -u +%Y) | cat; date -u +%Y & wait';
    expect(await run(start, '/bin/bash', '-c', script)).toBe(`${year}\n`.repeat(5));
    if (inContainer) return; // its filter denies personality(2)
    // The vDSO of every process is at one place then.
    expect(await run(start, '/usr/bin/setarch', '-R', '/bin/bash', '-c', script)).toBe(`${year}\n`.repeat(5));
  });

  it.skipIf(!hasGcc).each(PROGRAMS)('is shown by every call and waited for by it: %s program [needs gcc]', async (_, flags, compiler) => {
    const output = await run(start, compiled('times', flags, compiler));
    const said = JSON.parse(output) as Record<string, number>;
    const tai = said['rawTai']! - said['rawRealtime']!; // as the machine has it
    for (const each of calendarNames(said)) {
      expect(said[each], each).toBeGreaterThanOrEqual(Math.floor(seconds(start)));
      expect(said[each], each).toBeLessThan(seconds(start) + 10);
    }
    expect(tai).toBeGreaterThanOrEqual(0);
    expect(Math.abs(said['tai']! - said['realtime']! - tai)).toBeLessThanOrEqual(1);
    expectWaits(said);
  }, 30_000);

  it.skipIf(!hasGcc)('is waited for in time by who waits again and again, by many at once, and who is disturbed [needs gcc]', async () => {
    const said = JSON.parse(await run(start, compiled('deadline-storm', ['-O2']), ...(inContainer ? ['nothing moved'] : []))) as Record<string, number>;
    // A timerfd is set on a copy of its descriptor, which a container denies: then one that is moved on at once is not followed.
    for (const each of ['sharedEarliest', 'sharedLatest', 'woken', 'interrupted', ...(inContainer ? [] : ['moved'])]) {
      expect(said[each], each).toBeGreaterThanOrEqual(0);
      expect(said[each], each).toBeLessThan(1000);
    }
    // As often as the machine let them.
    expect(said['wakes']).toBeGreaterThan(0);
    expect(said['interrupts']).toBeGreaterThan(0);
  }, 30_000);
});

describe.each(STARTS)('a clock that stands still at %s [needs Linux 5.14]', (start) => {
  const startNs = BigInt(Date.parse(start)) * 1_000_000n + 123_456n;
  const still = () => startClock(startNs, { frozen: true });

  it('shows that moment and no other, in every program, while time passes', async () => {
    const script = 'date +%s.%N; echo $EPOCHREALTIME; sleep 0.1; date +%s.%N; env date +%s.%N';
    const moment = `${startNs / 1_000_000_000n}.${startNs % 1_000_000_000n}`;
    expect(await runWith(still(), '/bin/bash', '-c', script)).toBe([moment, moment.slice(0, -3), moment, moment, ''].join('\n'));
  });

  it.skipIf(!hasGcc).each(PROGRAMS)('is shown by every call, and waits end in time: %s program [needs gcc]', async (_, flags, compiler) => {
    const said = JSON.parse(await runWith(still(), compiled('times', flags, compiler))) as Record<string, number>;
    for (const each of [...calendarNames(said), 'tai', 'rawTai']) expect(said[each], each).toBe(Math.floor(seconds(start)));
    expectWaits(said);
  }, 30_000);
});
