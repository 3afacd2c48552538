import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

import {
  AT_FDCWD, close, GuardedProcess, O_RDONLY, O_RDWR, openat, pipe, read, type StartPlan, type StartStep, type TargetExit,
} from '../../src/index.js';

const thp = '/sys/kernel/mm/transparent_hugepage/enabled';
const hugePages = existsSync(thp) && readFileSync(thp, 'latin1').includes('[always]');

interface Outcome {
  events: string[];
  failed?: [StartStep, number];
  exit?: TargetExit;
  output: string;
}

/** Runs a plan to its end; a parked one is released. */
async function outcome(plan: Partial<StartPlan> & { argv: StartPlan['argv'] }, act: (guarded: GuardedProcess) => void = () => undefined): Promise<Outcome> {
  const nothing = openat(AT_FDCWD, '/dev/null', O_RDWR);
  const [readEnd, writeEnd] = pipe();
  const result: Outcome = { events: [], output: '' };
  try {
    await new Promise<void>((resolve) => {
      const event = (name: string) => void result.events.push(name);
      const guarded = GuardedProcess.spawn({ env: ['PATH=/usr/bin:/bin'], stdio: [nothing, writeEnd, nothing], ...plan }, {
        started: () => { event('started'); act(guarded); },
        parked: () => { event('parked'); guarded.release(); },
        execed: () => event('execed'),
        failed: (step, errno) => { event('failed'); result.failed = [step, errno]; },
        exited: (exit) => { event('exited'); result.exit = exit; },
        ended: (clean) => { event(`ended ${clean}`); resolve(); },
      });
    });
  } finally {
    close(writeEnd);
    close(nothing);
  }
  const buffer = Buffer.alloc(65536);
  result.output = buffer.toString('latin1', 0, read(readEnd, buffer));
  close(readEnd);
  return result;
}

describe('spawn', () => {
  it('tells the life of a target in order', async () => {
    const { events, exit, output } = await outcome({ argv: ['sh', '-c', 'echo hello; exit 3'] });
    expect(events).toEqual(['started', 'execed', 'exited', 'ended true']);
    expect(exit).toMatchObject({ code: 3, signal: null });
    expect(exit!.maxRssBytes).toBeGreaterThan(100_000);
    expect(output).toBe('hello\n');
  });

  it('parks a target until its release', async () => {
    const { events } = await outcome({ argv: ['true'], park: true });
    expect(events).toEqual(['started', 'parked', 'execed', 'exited', 'ended true']);
  });

  it('gives a target its environment, its descriptors and its directory', async () => {
    const extra = openat(AT_FDCWD, '/etc/passwd', O_RDONLY);
    const { output } = await outcome({
      argv: ['sh', '-c', 'echo $A; pwd; ls /proc/self/fd | tr "\\n" " "; head -c 5 <&9'], env: ['PATH=/usr/bin:/bin', 'A=b'], cwd: '/usr', fds: new Map([[9, extra]]),
    });
    close(extra);
    expect(output).toMatch(/^b\n\/usr\n0 1 2 3 9 root:/);
  });

  it('ends a target that is killed', async () => {
    const { exit } = await outcome({ argv: ['sleep', '100'] }, (guarded) => guarded.kill());
    expect(exit).toMatchObject({ code: null, signal: 9 });
  });

  it.each<[string, Partial<StartPlan> & { argv: string[] }, StartStep, number]>([
    ['a missing program', { argv: ['/does/not/exist'] }, 'exec', 2],
    ['an empty name', { argv: [''] }, 'exec', 2],
    ['a program without the right to be executed', { argv: ['/etc/passwd'] }, 'exec', 13],
    ['a missing directory', { argv: ['true'], cwd: '/does/not/exist' }, 'cwd', 2],
    ['a core that is not there', { argv: ['true'], cpuCores: [4000] }, 'affinity', 22],
    ['a filter that the kernel refuses', { argv: ['true'], filter: new Uint8Array(8) }, 'seccomp', 22],
    ['a ruleset that is none', { argv: ['true'], rulesetFd: 0 }, 'landlock', 77],
  ])('says which step failed and why: %s', async (_, plan, step, errno) => {
    const rulesetFd = plan.rulesetFd === undefined ? undefined : openat(AT_FDCWD, '/dev/null', O_RDWR);
    const { failed, exit, events } = await outcome({ ...plan, ...(rulesetFd === undefined ? {} : { rulesetFd }) });
    if (rulesetFd !== undefined) close(rulesetFd);
    expect([failed, exit, events.at(-1)]).toEqual([[step, errno], undefined, 'ended true']);
  });

  it('throws when there is no process, and leaves no descriptor', () => {
    const before = readdirSync('/proc/self/fd').length;
    const plan = (more: Partial<StartPlan>): StartPlan => ({ argv: ['true'], env: [], stdio: [0, 1, 2], ...more });
    const spawn = (more: Partial<StartPlan>) => () => GuardedProcess.spawn(plan(more), { ended: () => undefined });
    expect(spawn({ stdio: [0, 1, 9999] })).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(spawn({ argv: ['x'.repeat(200_000)] })).toThrow(expect.objectContaining({ code: 'E2BIG' }));
    expect(spawn({ argv: ['a\0b'] })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(spawn({ fds: new Map([[2, 0]]) })).toThrow(RangeError);
    expect(spawn({ fds: new Map([[32, 0]]) })).toThrow(RangeError);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it.skipIf(hugePages)('copies nothing of a large parent, where a fork does [needs transparent huge pages off or by madvise]', async () => {
    // After a fork the pages of the parent are shared, and each costs it a fault when it is written to again.
    const heap = Buffer.alloc(256 * 1024 * 1024, 1);
    const pages = heap.length / 4096;
    const faults = async (start: () => unknown): Promise<number> => {
      const before = process.resourceUsage().minorPageFault;
      await start();
      for (let at = 0; at < heap.length; at += 4096) heap[at] = 2;
      return process.resourceUsage().minorPageFault - before;
    };
    expect(await faults(() => spawnSync('/bin/true'))).toBeGreaterThan(pages / 2);
    expect(await faults(() => outcome({ argv: ['true'] }))).toBeLessThan(pages / 4);
  });
});

describe('the addon', () => {
  const inWorker = `
    const { parentPort } = require('node:worker_threads');
    import(process.env.SYS).then(({ pipe, FdWatcher, write, uname }) => {
      const [r, w] = pipe();
      new FdWatcher(r, 1, () => { parentPort.postMessage(uname().length); process.exit(); });
      write(w, Buffer.from('x'));
    });`;

  // The callback ends its own thread: whatever the addon does after it is done without JavaScript.
  it('loads in several worker threads at once, and again after they ended within a callback', async () => {
    const SYS = new URL('../../dist/index.js', import.meta.url).href;
    for (let round = 0; round < 3; round++) {
      const lengths = await Promise.all(Array.from({ length: 4 }, () => new Promise((resolve, reject) => {
        const worker = new Worker(inWorker, { eval: true, env: { ...process.env, SYS } });
        worker.once('message', resolve);
        worker.once('error', reject);
      })));
      expect(lengths).toEqual([390, 390, 390, 390]);
    }
  });
});
