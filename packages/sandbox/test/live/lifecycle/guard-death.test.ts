import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { box, isLiving, marked, members, newMark, python, targets, until, untilSaid } from './support.js';

const unruly = (kind: string, mark: string) => [python, `${targets}/unruly.py`, kind, mark, 'stay'];
const strangers: ChildProcess[] = [];
const left: string[] = [];
afterEach(() => {
  for (const child of strangers.splice(0)) child.kill('SIGKILL');
  // What carries a mark of ours was started by this test.
  for (const mark of left.splice(0)) for (const pid of members(mark)) process.kill(pid, 'SIGKILL');
});

/** A process of this user outside of the sandbox: in the supervisor's session and group, or in its own. */
function stranger(detached: boolean): ChildProcess {
  const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore', detached });
  strangers.push(child);
  return child;
}

const guardsOf = (mark: string) => marked(mark).filter((pid) => readFileSync(`/proc/${pid}/comm`, 'latin1') === 'sandlock-guard\n');

describe('a guard', () => {
  it('signals nobody outside of its sandbox, whether it stops, continues or ends it', async () => {
    const others = [stranger(false), stranger(true)];
    const neighbourMark = newMark();
    const neighbour = await box().popen(unruly('own-session', neighbourMark), { stdin: 'ignore' });
    await untilSaid(neighbour.stdout!, 'ready');
    const neighbours = marked(neighbourMark);
    for (let n = 0; n < 5; n++) {
      const mark = newMark();
      const child = await box({ maxProcesses: 200 }).popen(unruly(n === 4 ? 'bomb' : 'all', mark), { stdin: 'ignore' });
      await untilSaid(child.stdout!, 'ready');
      child.pause();
      child.resume();
      await child.kill();
      expect(marked(mark)).toEqual([]);
    }
    expect(others.map(({ pid, exitCode, signalCode }) => [isLiving(pid!), exitCode, signalCode])).toEqual(Array(2).fill([true, null, null]));
    expect(marked(neighbourMark)).toEqual(neighbours);
    await neighbour.kill();
  });

  it('that is killed from outside takes the program along, and the wait says so', async () => {
    const mark = newMark();
    left.push(mark);
    const child = await box({ name: 'guarded' }).popen(unruly('own-session', mark), { stdin: 'ignore' });
    await untilSaid(child.stdout!, 'ready');
    const [guard, ...more] = guardsOf(mark);
    expect(more).toEqual([]);
    process.kill(guard!, 'SIGKILL');
    await expect(child.wait()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CHILD_SETUP' });
    await until('the program is gone', () => !isLiving(child.pid!));
    expect(child.isRunning).toBe(false);
    await child.kill();
    expect(await box({ name: 'guarded' }).run(['/bin/true'])).toMatchObject({ ok: true });
  });

  it('that is stopped from outside does not keep a supervisor from killing once it goes on', async () => {
    const mark = newMark();
    const child = await box().popen(unruly('all', mark), { stdin: 'ignore' });
    await untilSaid(child.stdout!, 'ready');
    const [guard] = guardsOf(mark);
    process.kill(guard!, 'SIGSTOP');
    const killed = child.kill();
    process.kill(guard!, 'SIGCONT');
    await killed;
    expect(marked(mark)).toEqual([]);
  });
});
