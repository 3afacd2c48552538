/** Marks of processes that confine themselves, on processes of this test that do nothing. */
import type { FamilyHandler, HandlerContext } from '@sandlock/dispatch';
import { prlimit, RLIMIT_LOCKS } from '@sandlock/sys';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { SelfConfined } from '../src/views/self-confined.js';

const started: ChildProcess[] = [];
afterEach(() => { for (const child of started.splice(0)) child.kill('SIGKILL'); });

/** A shell that starts another one when it is told to, and tells its pid. */
function shell(): { pid: number; fork: () => Promise<number> } {
  const child = spawn('/bin/sh', ['-c', 'while read line; do sleep 60 >/dev/null & echo $!; done'], { stdio: ['pipe', 'pipe', 'ignore'] });
  started.push(child);
  return {
    pid: child.pid!,
    fork: async () => {
      child.stdin.write('go\n');
      const [said] = await once(child.stdout, 'data') as [Buffer];
      forked.push(Number(String(said)));
      return forked.at(-1)!;
    },
  };
}

const forked: number[] = [];
afterEach(() => { for (const pid of forked.splice(0)) process.kill(pid, 'SIGKILL'); });

const asker = (pid: number) => ({ pid, tgid: pid });

function marks(pids: () => number[]) {
  const confined = new SelfConfined({ pids, count: () => pids().length, isMember: () => true });
  const { handler } = confined.handlers['landlock_restrict_self'] as FamilyHandler;
  const restrict = (pid: number): unknown => (handler as (context: HandlerContext) => unknown)({ pid, isValid: () => true } as HandlerContext);
  return { confined, restrict, reaches: (a: number, b: number) => confined.reaches(asker(a), asker(b)) };
}

describe('who confined itself', () => {
  it('reaches itself and what is below, and is reached from above', async () => {
    const [a, b] = [shell(), shell()];
    const { confined, restrict, reaches } = marks(() => []);
    const before = await a.fork();
    expect([confined.has(a.pid), reaches(a.pid, b.pid)]).toEqual([false, true]);
    restrict(a.pid);
    const after = await a.fork();
    expect([a.pid, after, before, b.pid].map((pid) => confined.has(pid))).toEqual([true, true, false, false]);
    expect([a.pid, after, before, b.pid].map((pid) => reaches(a.pid, pid))).toEqual([true, true, false, false]);
    expect([a.pid, after].map((pid) => reaches(b.pid, pid))).toEqual([true, true]);
    restrict(b.pid);
    restrict(after);
    expect([reaches(b.pid, a.pid), reaches(a.pid, b.pid), reaches(a.pid, after), reaches(after, a.pid)]).toEqual([false, false, true, false]);
  });

  it('stays where it is among the others when marks that nobody has are forgotten', async () => {
    const [a, b] = [shell(), shell()];
    const children: number[] = [];
    const { restrict, reaches } = marks(() => [a.pid, b.pid, ...children]);
    restrict(a.pid);
    children.push(await a.fork());
    restrict(b.pid);
    for (let n = 0; n < 2000; n++) restrict(a.pid);
    expect([reaches(children[0]!, a.pid), reaches(a.pid, children[0]!), reaches(b.pid, a.pid), reaches(a.pid, b.pid)]).toEqual([true, false, false, false]);
  });

  it('is one whose limit is not ours to see, and reaches nobody', () => {
    const { confined, restrict, reaches } = marks(() => []);
    const { pid } = shell();
    restrict(pid);
    expect([confined.has(0x3fffffff), reaches(0x3fffffff, process.pid), reaches(pid, 0x3fffffff)]).toEqual([true, false, false]);
  });

  it('is lowered under what everybody has, whatever that is', () => {
    const { restrict } = marks(() => []);
    const { pid } = shell();
    restrict(pid);
    expect(prlimit(pid, RLIMIT_LOCKS).hard).toBe(prlimit(0, RLIMIT_LOCKS).hard - 1n);
  });
});
