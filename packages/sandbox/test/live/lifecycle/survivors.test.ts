import { describe, expect, it } from 'vitest';

import type { SandboxProcess } from '../../../src/index.js';
import { box, marked, newMark, python, targets, untilSaid } from './support.js';

const KINDS = [
  'own-session', 'orphan', 'deaf', 'stopped', 'daemon', 'other-program', 'threads', 'respawning', 'all', 'bomb',
] as const;

const unruly = (kind: string, mark: string, then: 'stay' | 'leave') => [python, `${targets}/unruly.py`, kind, mark, then];
const sandbox = box({ maxProcesses: 200 });

async function started(kind: string, mark: string, options: { signal?: AbortSignal } = {}): Promise<SandboxProcess> {
  const child = await sandbox.popen(unruly(kind, mark, 'stay'), { stdin: 'ignore', stderr: 'inherit', ...options });
  await untilSaid(child.stdout!, 'ready');
  expect(marked(mark).length).toBeGreaterThanOrEqual(3); // guard, program, and what it started
  return child;
}

describe.each(KINDS)('a program that leaves processes of kind %s', (kind) => {
  it('leaves none when it ends', async () => {
    const mark = newMark();
    const result = await sandbox.run(unruly(kind, mark, 'leave'));
    expect(marked(mark)).toEqual([]);
    expect(result).toMatchObject({ exitCode: 0, reason: 'exited' });
    expect(result.stdout.toString()).toBe('ready\n');
  });

  it('leaves none when it is killed', async () => {
    const mark = newMark();
    const child = await started(kind, mark);
    await child.kill();
    expect(marked(mark)).toEqual([]);
    expect(await child.wait()).toMatchObject({ reason: 'killed', signal: 'SIGKILL', exitCode: null });
  });
});

describe.each(['all', 'bomb'])('a program that leaves processes of kind %s', (kind) => {
  it('leaves none after a timeout', async () => {
    const mark = newMark();
    const result = await sandbox.run(unruly(kind, mark, 'stay'), { timeout: 3000 });
    expect(marked(mark)).toEqual([]);
    expect(result.reason).toBe('timeout');
    expect(result.stdout.toString()).toBe('ready\n');
  });

  it('leaves none after a timeout with grace', async () => {
    const mark = newMark();
    const result = await sandbox.run(unruly(kind, mark, 'stay'), { timeout: 3000, killGrace: 200 });
    expect(marked(mark)).toEqual([]);
    expect(result.reason).toBe('timeout');
  });

  it('leaves none when the process is disposed', async () => {
    const mark = newMark();
    {
      await using child = await started(kind, mark);
      expect(child.isRunning).toBe(true);
    }
    expect(marked(mark)).toEqual([]);
  });

  it('leaves none when the run is aborted', async () => {
    const mark = newMark();
    const controller = new AbortController();
    const child = await started(kind, mark, { signal: controller.signal });
    controller.abort();
    await expect(child.wait()).rejects.toMatchObject({ name: 'AbortError' });
    expect(marked(mark)).toEqual([]);
  });

  it('leaves none when it is killed while paused', async () => {
    const mark = newMark();
    const child = await started(kind, mark);
    child.pause();
    await child.kill();
    expect(marked(mark)).toEqual([]);
  });
});

it('leaves none of a process that was created and never started', async () => {
  const mark = newMark();
  {
    await using child = await sandbox.create(unruly('all', mark, 'stay'));
    expect(marked(mark).length).toBeGreaterThanOrEqual(1);
    expect(child.isRunning).toBe(true);
  }
  expect(marked(mark)).toEqual([]);
});
