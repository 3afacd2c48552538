import { CLONE_THREAD, CLONE_VM } from '@sandlock/sys';
import { action, DispatchTable } from '@sandlock/dispatch';
import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';

import { OTHER_PROCESS_CALLS, processes, ProcessTree } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

/** No guard: nothing can be learned from /proc, so everything that was allowed counts. */
const blind = (maxProcesses: number) => processes({ maxProcesses, members: new ProcessTree(() => 0) });

describe('processes family', () => {
  it('takes a whole number from 1', () => {
    for (const maxProcesses of [0, -1, 1.5, Number.NaN, Infinity, '3' as unknown as number]) {
      expect(() => processes({ maxProcesses, members: new ProcessTree(() => 0) }), String(maxProcesses)).toThrow(RangeError);
    }
  });

  it('allows forks up to the limit and then fails them with EAGAIN, where it cannot look', async () => {
    const family = blind(4);
    const target = new Supervised(family);
    const responses = [];
    for (const name of ['fork', 'vfork', 'clone', 'fork', 'clone']) responses.push((await target.call(name, [0x11])).kind);
    expect(responses).toEqual(['continue', 'continue', 'continue', 'errno', 'errno']);
    expect(await target.call('fork', [])).toMatchObject({ errno: 'EAGAIN' });
    expect(family.peak()).toBe(4);
  });

  it('is asked about clone only when it makes no thread, by the bits that the kernel looks at', () => {
    const table = new DispatchTable({ arch: 'x86_64' }).family(blind(4));
    const clone = table.registrations().find(({ name }) => name === 'clone')!;
    expect(clone.when).toEqual([[{ index: 0, op: 'maskedEq', mask: BigInt(CLONE_THREAD), value: 0n, width: 32 }]]);
    expect(table.registrations().map(({ name }) => name).sort()).toEqual(
      ['clone', 'fork', 'vfork', 'prctl', ...Object.keys(OTHER_PROCESS_CALLS)].sort());
  });

  it('lets a thread go uncounted even when it is notified for another handler', async () => {
    const family = blind(2);
    const target = new Supervised(family, { name: 'other', handlers: { clone: () => action.continue() } });
    for (let n = 0; n < 5; n++) expect(await target.call('clone', [CLONE_VM | CLONE_THREAD])).toEqual({ kind: 'continue' });
    expect(family.peak()).toBe(1);
    expect(await target.call('clone', [BigInt(CLONE_THREAD) << 32n])).toEqual({ kind: 'continue' });
    expect(await target.call('clone', [BigInt(CLONE_THREAD) << 32n])).toMatchObject({ errno: 'EAGAIN' });
  });

  it('takes back what a later handler refused, or what did not reach its thread', async () => {
    let refuse = true;
    const family = blind(2);
    const target = new Supervised(family, { name: 'later', handlers: { fork: () => (refuse ? action.errno('EACCES') : action.continue()) } });
    for (let n = 0; n < 5; n++) expect(await target.call('fork', [])).toMatchObject({ errno: 'EACCES' });
    refuse = false;
    for (let n = 0; n < 5; n++) {
      target.listener.fail('send', 'ENOENT'); // killed, or interrupted, before the answer
      target.listener.notify('fork', { pid: process.pid });
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
    expect(await target.call('fork', [])).toEqual({ kind: 'continue' });
    expect(await target.call('fork', [])).toMatchObject({ errno: 'EAGAIN' });
  });

  it('counts a child once that somebody else has found in the tree before', async () => {
    const sleeper = () => spawn('/bin/sleep', ['60']);
    const children = [sleeper()];
    const members = new ProcessTree(() => process.pid);
    const target = new Supervised(processes({ maxProcesses: 3, members }));
    expect(members.living()).toEqual([children[0]!.pid]);
    expect(await target.call('fork', [])).toEqual({ kind: 'continue' }); // of a thread that runs, and so may still be in it
    children.push(sleeper());
    expect(members.living()).toHaveLength(2);
    expect(await target.call('fork', [], { pid: children[0]!.pid! })).toEqual({ kind: 'continue' });
    for (const child of children) child.kill('SIGKILL');
  });

  it('judges the id of a call on another process as the int it is', async () => {
    const target = new Supervised(blind(4));
    const own = process.pid;
    for (const [name, when] of Object.entries(OTHER_PROCESS_CALLS)) {
      const kind = when.length === 2 ? [Number(when[0]!.value)] : [];
      expect(await target.call(name, [...kind, own]), name).toEqual({ kind: 'continue' });
      expect(await target.call(name, [...kind, BigInt(own) | 0xdead00000000n]), name).toEqual({ kind: 'continue' });
      expect(await target.call(name, [...kind, process.ppid]), name).toMatchObject({ errno: 'EPERM' });
      expect(await target.call(name, [...kind, 1]), name).toMatchObject({ errno: 'EPERM' });
      expect(await target.call(name, [...kind, -1]), name).toEqual({ kind: 'continue' });
      expect(await target.call(name, [...kind, own], { pid: 2 ** 22 + 1 }), name).toMatchObject({ errno: 'EPERM' });
    }
  });
});
