import { describe, expect, it } from 'vitest';

import { isLiving, READ_ALL, Running, until } from './sandlock.js';

/** Prints each signal that it gets, and ends on SIGTERM. */
const LISTENER = `
  for s in HUP INT QUIT USR1 USR2 WINCH; do trap "echo $s" $s; done
  trap 'echo TERM; exit 9' TERM
  echo ready
  while :; do sleep 0.05; done`;

describe('signals to a run that has no terminal', () => {
  it('reach the program, and the run ends when the program does', async () => {
    const running = new Running(['run', ...READ_ALL, '-e', LISTENER]);
    await running.printed('ready\n');
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const) {
      running.child.kill(signal);
      await running.printed(`${signal.slice('SIG'.length)}\n`);
    }
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 9, signal: null, stdout: expect.stringMatching(/TERM\n$/) });
  });

  it('end a program that does not mind them as they end it without a sandbox', async () => {
    const running = new Running(['run', ...READ_ALL, '-e', 'echo ready; exec sleep 60']);
    await running.printed('ready\n');
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143, signal: null, stderr: '' });
  });

  it('kill a program that ignores the first SIGINT on the second, with everything it started', async () => {
    const running = new Running(['run', ...READ_ALL, '-e', `
      trap 'echo again' INT
      setsid sh -c 'echo "pid $$"; exec sleep 60' &
      echo ready
      while :; do sleep 0.05; done`]);
    await running.printed('ready\n');
    await running.printed('pid '); // it says so itself: the first SIGINT is for the group that it has left by then
    const grandchild = Number(/pid (\d+)/.exec(running.stdout)![1]);
    running.child.kill('SIGINT');
    await running.printed('again\n');
    expect(isLiving(grandchild)).toBe(true);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 137, signal: null });
    expect(isLiving(grandchild)).toBe(false);
  });
});

describe('SIGKILL to the command itself', () => {
  it('leaves nothing of the run', async () => {
    const running = new Running(['run', ...READ_ALL, '-e', `
      trap '' HUP TERM INT
      setsid sh -c 'trap "" HUP TERM INT; while :; do sleep 1; done' & echo "pid $!"
      echo "main $$"
      echo ready
      while :; do sleep 1; done`]);
    await running.printed('ready\n');
    const pids = [...running.stdout.matchAll(/(?:pid|main) (\d+)/g)].map(([, pid]) => Number(pid));
    expect(pids.map(isLiving)).toEqual([true, true]);
    running.child.kill('SIGKILL');
    await until(() => !pids.some(isLiving), 'the program and what it started are gone');
  });
});
