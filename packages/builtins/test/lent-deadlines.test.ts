import { action, type HandlerContext, type Outcome } from '@sandlock/dispatch';
import { CLOCK_REALTIME } from '@sandlock/sys';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LentDeadlines } from '../src/time/lent-deadlines.js';
import type * as Runs from '../src/time/thread-runs.js';
import { timespec } from '../src/time/time-values.js';
import type { VirtualClock } from '../src/time/virtual-clock.js';
import { Child } from './child.js';

const look = vi.hoisted(() => ({ fails: false, goneOn: false, looks: 0 }));
vi.mock('../src/time/thread-runs.js', async (original) => {
  const real: typeof Runs = await original();
  return {
    ...real,
    threadRuns: (tid: number) => {
      look.looks++;
      if (look.fails) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      const runs = real.threadRuns(tid);
      return runs === undefined || !look.goneOn ? runs : { ...runs, waits: runs.waits + 1 };
    },
  };
});

const SECOND = 1_000_000_000n;
const clock: VirtualClock = { offsetNs: -1000n * SECOND, startNs: -1000n * SECOND, startedAt: 0n, frozenAtNs: undefined };
const OWN = timespec(5000n * SECOND + 7n);
const LENT = timespec(6000n * SECOND + 7n);

let target: Child;
let lent: LentDeadlines;
beforeEach(async () => {
  Object.assign(look, { fails: false, goneOn: false, looks: 0 });
  target = await new Child().ready();
  lent = new LentDeadlines(clock);
});
afterEach(async () => {
  lent.close();
  await target.end();
});

interface Waiting {
  readonly context: HandlerContext;
  readonly outcomes: ((outcome: Outcome) => void)[];
}

/** A call of the target that waits for `OWN`, or is over. */
function waiting({ valid = true, at = target.address } = {}): Waiting {
  const outcomes: Waiting['outcomes'] = [];
  const context = {
    pid: target.pid,
    isValid: () => valid,
    readMemory: (address: bigint, length: number) => ({ ok: true, bytes: target.read(address, length) }),
    onOutcome: (callback: (outcome: Outcome) => void) => outcomes.push(callback),
  } as unknown as HandlerContext;
  target.write(at, OWN);
  return { context, outcomes };
}

describe('a lent deadline', () => {
  it('is the machine\'s until its call has gone on, and then the program\'s own again', () => {
    const { context, outcomes } = waiting();
    expect(lent.lend(context, { address: target.address, clock: CLOCK_REALTIME })).toEqual(action.continue());
    expect(target.read(target.address, 16)).toEqual(LENT);
    look.goneOn = true;
    outcomes.forEach((tell) => tell({ delivered: true } as Outcome));
    expect(target.read(target.address, 16)).toEqual(OWN);
    expect(lent.size).toBe(0);
  });

  it('is not written into a process that may be another by now', () => {
    const { context } = waiting({ valid: false });
    expect(lent.lend(context, { address: target.address, clock: CLOCK_REALTIME })).toEqual(action.errno('EFAULT'));
    expect(target.read(target.address, 16)).toEqual(OWN);
    expect(lent.size).toBe(0);
  });

  it('comes back although the thread could not be looked at for a while, and nobody hears of it', async () => {
    const { context, outcomes } = waiting();
    lent.lend(context, { address: target.address, clock: CLOCK_REALTIME });
    Object.assign(look, { fails: true, looks: 0 });
    outcomes.forEach((tell) => tell({ delivered: true } as Outcome));
    await vi.waitFor(() => expect(look.looks).toBeGreaterThan(10)); // also from the loop, where an error would be uncaught
    expect(target.read(target.address, 16)).toEqual(LENT);
    Object.assign(look, { fails: false, goneOn: true });
    await vi.waitFor(() => expect(target.read(target.address, 16)).toEqual(OWN));
    expect(lent.size).toBe(0);
  });

  it('is left where the program has put something else meanwhile', () => {
    const { context, outcomes } = waiting();
    lent.lend(context, { address: target.address, clock: CLOCK_REALTIME });
    const next = timespec(SECOND);
    target.write(target.address, next);
    outcomes.forEach((tell) => tell({ delivered: false } as Outcome));
    expect(target.read(target.address, 16)).toEqual(next);
    expect(lent.size).toBe(0);
  });

  it('is let go with the sandbox, and whoever comes back after that finds nothing to write to', () => {
    const { context, outcomes } = waiting();
    lent.lend(context, { address: target.address, clock: CLOCK_REALTIME });
    lent.close();
    expect(lent.size).toBe(0);
    outcomes.forEach((tell) => tell({ delivered: false } as Outcome));
    expect(target.read(target.address, 16)).toEqual(LENT);
  });

  it('is one of a few: a program cannot use up the descriptors of its supervisor', () => {
    const all = Array.from({ length: 257 }, (_, n) => target.address + BigInt(n * 16));
    const calls = all.map((at) => ({ at, ...waiting({ at }) }));
    const answers = calls.map(({ at, context }) => lent.lend(context, { address: at, clock: CLOCK_REALTIME }));
    expect(answers.slice(0, -1).every(({ kind }) => kind === 'continue')).toBe(true);
    expect(answers.at(-1)).toEqual(action.errno('EAGAIN'));
    expect(target.read(all.at(-1)!, 16)).toEqual(OWN);
    calls.flatMap(({ outcomes }) => outcomes).forEach((tell) => tell({ delivered: false } as Outcome));
    expect(lent.size).toBe(0);
    for (const at of all) expect(target.read(at, 16)).toEqual(OWN);
  });
});
