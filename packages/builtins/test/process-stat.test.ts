import { describe, expect, it } from 'vitest';

import { isLiving, parseStat, readStat, readThreadStat } from '../src/process-stat.js';

const line = (name: string, state: string, threads: number) => (
  Buffer.from(`42 (${name}) ${state} 7 42 42 0 -1 4194560 1 0 0 0 11 12 0 0 20 0 ${threads} 0 990 4096 1 0\n`, 'latin1'));

describe('a stat line', () => {
  it.each(['sh', '', 'a b', ') R 1 1', '((', '\n) Z 0 0 0', '\xff\xfe'])('is read whatever the process calls itself: "%s"', (name) => {
    expect(parseStat(line(name, 'S', 3))).toEqual({ pid: 42, state: 'S', ppid: 7, utime: 11, threads: 3, startTime: 990 });
  });

  it('is none when it was cut off', () => {
    const whole = line('sh', 'S', 1);
    const lastRead = whole.indexOf(' 990') + 4;
    for (let length = 0; length <= lastRead; length++) expect(parseStat(whole.subarray(0, length)), String(length)).toBeUndefined();
    expect(parseStat(whole.subarray(0, lastRead + 1))).toMatchObject({ startTime: 990 });
  });

  it('of this process says what is so', () => {
    expect(readStat(process.pid)).toMatchObject({ pid: process.pid, ppid: process.ppid });
    expect(readThreadStat(process.pid)).toMatchObject({ pid: process.pid });
    expect(readStat(2 ** 22 + 1)).toBeUndefined();
    expect(readThreadStat(2 ** 22 + 1)).toBeUndefined();
  });

  it('tells the living from the dead', () => {
    const living = (state: string, threads: number) => isLiving(parseStat(line('x', state, threads))!);
    expect(['R', 'S', 'D', 'T', 't', 'I'].map((state) => living(state, 1))).toEqual([true, true, true, true, true, true]);
    expect([living('Z', 1), living('X', 1), living('Z', 0)]).toEqual([false, false, false]);
    expect(living('Z', 2)).toBe(true); // its first thread has ended, and it has another
  });
});
