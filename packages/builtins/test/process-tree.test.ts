import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';

import * as lists from '../src/process-children.js';
import * as stats from '../src/process-stat.js';
import { ProcessTree } from '../src/index.js';

vi.mock('../src/process-children.js', { spy: true });
vi.mock('../src/process-stat.js', { spy: true });

const children: ChildProcess[] = [];
afterEach(async () => {
  vi.mocked(lists.listChildren).mockReset();
  for (const child of children.splice(0)) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

function sleeper(): number {
  const child = spawn('/bin/sleep', ['60']);
  children.push(child);
  return child.pid!;
}

/** The lists that /proc gives for this process's children, one reading after the other; others have none. */
function readings(...texts: (string | undefined)[]): void {
  let next = 0;
  vi.mocked(lists.listChildren).mockImplementation((pid) => (pid === process.pid ? texts[Math.min(next++, texts.length - 1)] : ''));
}

describe('a walk over lists that change', () => {
  it('is begun anew when the second reading differs: one that was left out is found', () => {
    const [a, b] = [sleeper(), sleeper()];
    readings(`${a} `, `${a} ${b} `);
    expect(new ProcessTree(() => process.pid, true).discover()).toEqual({ found: 2, complete: true });
  });

  it('says so when no two readings agree', () => {
    const pid = sleeper();
    let n = 0;
    vi.mocked(lists.listChildren).mockImplementation((of) => (of === process.pid ? `${pid} ${' '.repeat(n++)}` : ''));
    expect(new ProcessTree(() => process.pid, true).discover()).toEqual({ found: 1, complete: false });
    expect(n).toBe(8);
  });

  it('is begun anew once only where many have ended that nobody waits for', () => {
    const pids = Array.from({ length: 100 }, (_, n) => 2 ** 22 + 1 + n);
    let n = 0;
    vi.mocked(lists.listChildren).mockImplementation(() => `${pids.join(' ')} ${' '.repeat(n++)}`);
    vi.mocked(stats.readStat).mockImplementation((pid) => ({ pid, state: 'Z', ppid: process.pid, utime: 0, threads: 1, startTime: 1 }));
    const tree = new ProcessTree(() => process.pid, true);
    expect(tree.discover()).toEqual({ found: 0, complete: false });
    expect([n, tree.isCrowded]).toEqual([4, true]);
    vi.mocked(stats.readStat).mockReset();
  });

  it('takes nobody for a member because of a number in a list', () => {
    readings('1 ');
    expect(new ProcessTree(() => process.pid, true).discover()).toEqual({ found: 0, complete: false });
  });

  it('keeps members that a later walk misses, and forgets them when they end', async () => {
    const pid = sleeper();
    const tree = new ProcessTree(() => process.pid, true);
    readings(`${pid} `);
    expect(tree.discover()).toEqual({ found: 1, complete: true });
    readings('');
    expect(tree.discover()).toEqual({ found: 0, complete: true });
    expect(tree.living()).toEqual([pid]);
    readings(undefined);
    expect(tree.living()).toEqual([pid]);
    const exited = once(children[0]!, 'exit');
    children.pop()!.kill('SIGKILL');
    await exited;
    expect([tree.living(), tree.has(pid), tree.size]).toEqual([[], false, 0]);
  });
});

describe('whose a process is', () => {
  it('is asked no further up than to one that is known', async () => {
    const top = spawn('/bin/sh', ['-c', '/bin/sh -c "/bin/sleep 60; true"; true'], { detached: true });
    children.push(top);
    const tree = new ProcessTree(() => process.pid);
    await vi.waitFor(() => { expect(new ProcessTree(() => process.pid).living()).toHaveLength(3); });
    const innermost = new ProcessTree(() => process.pid).living().find((pid) => lists.listChildren(pid, [pid]) === '')!;
    const looks = (pid: number): number => {
      vi.mocked(stats.readStat).mockClear();
      expect(tree.isMember(pid)).toBe(true);
      return vi.mocked(stats.readStat).mock.calls.length;
    };
    expect(looks(innermost)).toBe(3);
    tree.discover();
    expect(looks(innermost)).toBe(1);
    expect([tree.isMember(process.pid), tree.isMember(1), tree.isMember(process.ppid)]).toEqual([false, false, false]);
    process.kill(-top.pid!, 'SIGKILL');
  });
});
