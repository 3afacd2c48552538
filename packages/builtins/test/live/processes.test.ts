import { arg32 } from '@sandlock/bpf';
import { action, type Family, type Handler } from '@sandlock/dispatch';
import { CLONE_THREAD } from '@sandlock/sys';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { processes, ProcessTree, type ProcessesFamily } from '../../src/index.js';
import { arch, compiled, countLiving, endAll, hasGcc, removeCompiled, Sandboxed, type Result } from './sandboxed.js';

let program: string;
beforeAll(() => { if (hasGcc) program = compiled('forks'); });
afterEach(endAll);
afterAll(removeCompiled);

interface Run extends Result {
  readonly peak: number;
  /** The most there were with a fork that the family allowed, by a count from outside. */
  readonly most: number;
}

function forks(maxProcesses: number, ...args: (string | number)[]): Promise<Run> {
  return run(maxProcesses, args, false);
}

async function run(maxProcesses: number, args: readonly (string | number)[], counted: boolean): Promise<Run> {
  let family!: ProcessesFamily;
  let most = 0;
  const sandboxed = new Sandboxed([program, ...args.map(String)], (guardPid) => {
    family = processes({ maxProcesses, members: new ProcessTree(guardPid) });
    const count: Handler = () => {
      most = Math.max(most, countLiving(guardPid()) + 1);
      return action.continue();
    };
    const when = arg32(0).maskedEq(CLONE_THREAD, 0);
    const counter: Family = { name: 'counter', handlers: { fork: count, vfork: count, clone: { handler: count, when } } };
    return counted ? [family, counter] : [family];
  });
  const result = await sandboxed.done;
  expect(sandboxed.reports).toEqual([]);
  return { ...result, peak: family.peak(), most };
}

describe.skipIf(!hasGcc)('the process limit [needs gcc, Linux 5.14]', () => {
  it.each(['sleepers', 'clone', 'highbits', 'shared', 'vfork', 'orphans', 'parents', 'waits'])('counts the first process and children that stay: %s', async (mode) => {
    expect(await forks(3, mode, 5)).toMatchObject({ stdout: mode === 'orphans' ? expect.stringMatching(/^ok=[12] /) : 'ok=2 eagain=3\n', peak: 3 });
    expect(await forks(9, mode, 5)).toMatchObject({ stdout: 'ok=5 eagain=0\n' });
  });

  it.skipIf(arch !== 'x86_64')('counts fork(2) itself [needs an architecture that has it]', async () => {
    expect(await forks(3, 'raw', 5)).toMatchObject({ stdout: 'ok=2 eagain=3\n', peak: 3 });
  });

  it('counts processes whose first thread has ended', async () => {
    expect(await forks(3, 'leaderless', 5)).toMatchObject({ stdout: 'ok=2 eagain=3\n', peak: 3 });
  });

  it('leaves clone3(2) to the filter', async () => {
    expect((await forks(3, 'clone3')).stdout).toBe('ok=0 eagain=0 other=Function not implemented\n');
  });

  it('allows no fork at all under a limit of 1', async () => {
    expect(await forks(1, 'wait', 3)).toMatchObject({ stdout: 'ok=0 eagain=3\n', peak: 1 });
  });

  it('lets any number of processes run one after the other', async () => {
    expect(await forks(3, 'wait', 20)).toMatchObject({ stdout: 'ok=20 eagain=0\n', peak: 2 });
    expect(await forks(2, 'wait', 300)).toMatchObject({ stdout: 'ok=300 eagain=0\n', peak: 2 });
  });

  it('forgets children that were reaped with WNOHANG, or by nobody', async () => {
    expect(await forks(8, 'wnohang', 200)).toMatchObject({ stdout: 'ok=200 eagain=0\n', peak: 2 });
    expect(await forks(2, 'zombies', 100)).toMatchObject({ stdout: 'ok=100 eagain=0\n', peak: 2 });
  });

  it('does not count threads', async () => {
    expect(await forks(2, 'threads', 10)).toMatchObject({ stdout: 'ok=10 eagain=0\n', peak: 1 });
  });

  it('is never exceeded by 40 threads that fork at once', async () => {
    const { stdout, most, peak } = await run(10, ['storm', 40], true);
    const [, made, refused] = /^ok=(\d+) eagain=(\d+)/.exec(stdout)!.map(Number) as [number, number, number];
    expect(made + refused).toBe(40);
    expect(made).toBeLessThanOrEqual(9);
    expect(made).toBeGreaterThanOrEqual(5);
    expect(most).toBeLessThanOrEqual(10);
    expect(peak).toBe(10);
  });

  it('is neither exceeded nor left half empty when nobody looks on', async () => {
    for (let n = 0; n < 5; n++) {
      const { stdout } = await forks(10, 'storm', 40);
      const made = Number(/^ok=(\d+) /.exec(stdout)![1]);
      expect(made).toBeLessThanOrEqual(9);
      expect(made).toBeGreaterThanOrEqual(5);
    }
  });

  it('gives room again when children have ended, each time all of it', async () => {
    expect(await forks(6, 'again', 10)).toMatchObject({ stdout: 'rounds=10 ok=5 eagain=0\n', peak: 6 });
  });

  it('is never exceeded by a fork bomb', async () => {
    const { most, peak } = await run(12, ['bomb', 1500], true);
    expect(most).toBeLessThanOrEqual(12);
    expect(most).toBeGreaterThanOrEqual(6);
    expect(peak).toBe(12);
  });
});
