import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SandboxState } from '../../src/proc/sandbox-state.js';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const members = (pids: () => number[]) => ({ isMember: () => true, pids, count: () => pids().length });
const after = (seconds: number) => 1 - Math.exp(-seconds / 60);

describe('the state of a sandbox', () => {
  it('looks at what runs every five seconds, until it ends', () => {
    const state = new SandboxState(members(() => [process.pid]), () => 0); // this process, which runs whenever it looks
    vi.advanceTimersByTime(4999);
    expect(state.averages).toEqual([0, 0, 0]);
    vi.advanceTimersByTime(1);
    expect(state.averages[0]).toBeCloseTo(after(5), 10);
    vi.advanceTimersByTime(55_000);
    expect(state.averages[0]).toBeCloseTo(after(60), 10);
    state.end();
    vi.advanceTimersByTime(60_000);
    expect(state.averages[0]).toBeCloseTo(after(60), 10);
  });

  it('counts processes anew when the last count is a tenth of a second old', () => {
    const pids = [process.pid];
    let looks = 0;
    const state = new SandboxState(members(() => {
      looks++;
      return pids;
    }), () => 0);
    expect(state.processes()).toBe(1); // without a look: it begins with one
    pids.push(process.ppid);
    vi.advanceTimersByTime(100);
    expect([state.processes(), state.processes(), looks]).toEqual([1, 1, 0]);
    vi.advanceTimersByTime(1);
    expect([state.processes(), state.processes(), looks]).toEqual([2, 2, 1]);
    state.end();
  });

  it('goes on where one look fails', () => {
    let fails = true;
    const state = new SandboxState(members(() => {
      if (fails) throw new Error('EMFILE');
      return [process.pid];
    }), () => 0);
    vi.advanceTimersByTime(5000);
    fails = false;
    vi.advanceTimersByTime(5000);
    expect(state.averages[0]).toBeCloseTo(after(5), 10);
    state.end();
  });
});
