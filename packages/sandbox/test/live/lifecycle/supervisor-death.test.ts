import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { marked, newMark, python, targets, until, untilSaid } from './support.js';

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Supervisor {
  process: ChildProcess;
  /** What it and its sandbox consist of, itself aside. */
  others: () => number[];
}

async function supervisor(what: string): Promise<Supervisor> {
  const mark = newMark();
  const child = spawn(process.execPath, [`${targets}/supervise.mjs`, mark, what, python, targets], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  running.push(child);
  await untilSaid(child.stdout, 'ready');
  const others = () => marked(mark).filter((pid) => pid !== child.pid);
  expect(others().length).toBeGreaterThan(9); // guard, program, and one of each kind
  return { process: child, others };
}

describe('no process of a sandbox is left', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const)('when its supervisor is ended by %s', async (signal) => {
    const { process: child, others } = await supervisor('stay');
    child.kill(signal);
    await once(child, 'exit');
    await until('the tree is gone', () => others().length === 0);
  });

  it('when a stopped supervisor is ended by SIGKILL', async () => {
    const { process: child, others } = await supervisor('stay');
    child.kill('SIGSTOP');
    child.kill('SIGKILL');
    await until('the tree is gone', () => others().length === 0);
  });

  it.each([['exit', 3], ['throw', 1]] as const)('when its supervisor ends by %s', async (what, code) => {
    const { process: child, others } = await supervisor(what);
    child.stdin!.write('go\n');
    expect(await once(child, 'exit')).toEqual([code, null]);
    await until('the tree is gone', () => others().length === 0);
  });

  it('when its supervisor has nothing else to do, before that ends', async () => {
    const { process: child, others } = await supervisor('unref');
    child.stdin!.write('go\n');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(others()).toEqual([]);
  });

  it('when the worker thread that supervises it is terminated, before the process goes on', async () => {
    const { process: child, others } = await supervisor('worker');
    const terminated = untilSaid(child.stdout!, 'terminated');
    child.stdin!.write('go\n');
    await terminated;
    expect(others()).toEqual([]);
    expect(child.exitCode).toBeNull();
  });
});
