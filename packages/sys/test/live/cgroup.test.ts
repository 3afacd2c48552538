import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';

import { AT_FDCWD, close, GuardedProcess, O_RDWR, openat, type StartPlan, type StartStep, type TargetExit } from '../../src/index.js';

/** A control group to make others in: that of SANDLOCK_TEST_CGROUP, or for root the root one. */
const base = process.env['SANDLOCK_TEST_CGROUP'] ?? /^\S+ \S+ \S+ \/ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'latin1'))?.[1];
const canUse = base !== undefined && [base, join(base, 'cgroup.procs')].every(isWritable);
const needs = '[needs a cgroup to write to]';

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const children: ChildProcess[] = [];
const groups: string[] = [];
let folder: string | undefined;
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  }
  for (const group of groups.splice(0)) if (existsSync(group)) rmdirSync(group);
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

let count = 0;
function newGroup(): string {
  const path = join(base!, `test-${process.pid}-guard-${count++}`);
  mkdirSync(path);
  groups.push(path);
  return path;
}

function scratch(): string {
  return (folder ??= mkdtempSync(join(tmpdir(), 'sandlock-cgroup-')));
}

const groupOf = (pid: number | 'self') => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))![1]!;
const processesIn = (group: string) => readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number);

interface Outcome {
  readonly failed: [StartStep, number] | undefined;
  readonly exit: TargetExit | undefined;
}

async function run(plan: Partial<StartPlan> & { argv: string[] }, onParked: (guarded: GuardedProcess) => void = () => undefined): Promise<Outcome> {
  const nothing = openat(AT_FDCWD, '/dev/null', O_RDWR);
  let failed: Outcome['failed'];
  let exit: TargetExit | undefined;
  try {
    await new Promise<void>((resolve) => {
      const guarded = GuardedProcess.spawn({ env: ['PATH=/usr/bin:/bin'], stdio: [nothing, nothing, nothing], park: true, ...plan }, {
        parked: () => { onParked(guarded); guarded.release(); },
        failed: (step, errno) => { failed = [step, errno]; },
        exited: (ended) => { exit = ended; },
        ended: () => resolve(),
      });
    });
  } finally {
    close(nothing);
  }
  return { failed, exit };
}

/** Somebody else's process in a group. */
async function strangerIn(group: string): Promise<ChildProcess> {
  const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  writeFileSync(join(group, 'cgroup.procs'), String(child.pid));
  expect(processesIn(group)).toEqual([child.pid]);
  return child;
}

describe.skipIf(!canUse)(`a control group ${needs}`, () => {
  it('has the target in it before the program runs, and what that starts; not the guard', async () => {
    const group = newGroup();
    const seen: unknown[] = [];
    const file = join(scratch(), 'seen');
    const source = `cat /proc/self/cgroup > ${file}; (setsid cat /proc/self/cgroup >> ${file})`;
    const { exit } = await run({ argv: ['sh', '-c', source], cgroup: group }, (guarded) => {
      seen.push(processesIn(group).length, groupOf(guarded.guardPid) === groupOf('self'));
    });
    expect(exit).toMatchObject({ code: 0 });
    expect(seen).toEqual([1, true]);
    const name = group.split('/').at(-1)!;
    expect(readFileSync(file, 'latin1').match(/^0::.*$/gm)!.map((line) => line.endsWith(`/${name}`))).toEqual([true, true]);
    expect(processesIn(group)).toEqual([]);
  });

  it('takes a target of another identity as well', async () => {
    const group = newGroup();
    const file = join(scratch(), 'seen');
    const result = await run({ argv: ['sh', '-c', `cat /proc/self/cgroup > ${file}`], cgroup: group, user: { uid: 1234, gid: 1234 } });
    if (result.failed?.[0] === 'user-namespace') return expect(result.exit).toBeUndefined(); // not here
    expect(result).toMatchObject({ exit: { code: 0 } });
    expect(readFileSync(file, 'latin1')).toContain(group.split('/').at(-1)!);
  });

  it.each([true, false])('is ended with the run, whoever is in it: %s', async (given) => {
    const group = newGroup();
    const stranger = await strangerIn(group);
    const ended = once(stranger, 'exit');
    await run({ argv: ['true'], ...(given ? { cgroup: group } : {}) });
    if (given) expect(await ended).toEqual([null, 'SIGKILL']);
    else expect(processesIn(group)).toEqual([stranger.pid]);
    expect(existsSync(group)).toBe(true);
  });

  it('is removed by the guard of a supervisor that was killed', async () => {
    const group = newGroup();
    const supervise = `
      const { GuardedProcess } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)});
      GuardedProcess.spawn({ argv: ['sh', '-c', 'setsid sleep 1000 & sleep 1000'], env: ['PATH=/usr/bin:/bin'], stdio: [0, 2, 2], cgroup: ${JSON.stringify(group)} },
        { execed: () => console.log('runs'), ended: () => undefined });`;
    const supervisor = spawn(process.execPath, ['--input-type=module', '-e', supervise], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(supervisor);
    await once(supervisor.stdout, 'data');
    while (processesIn(group).length < 3) await sleep(10);
    supervisor.kill('SIGKILL');
    await expect.poll(() => existsSync(group), { timeout: 20_000 }).toBe(false);
  }, 30_000);

  it('that does not take the target fails the start, and nothing of the program runs', async () => {
    const file = join(scratch(), 'ran');
    const argv = ['sh', '-c', `echo > ${file}`];
    expect(await run({ argv, cgroup: join(base!, 'not-there') })).toEqual({ failed: ['cgroup', 2], exit: undefined });
    expect(await run({ argv, cgroup: scratch() })).toEqual({ failed: ['cgroup', 2], exit: undefined });
    expect(await run({ argv, cgroup: `/${'x'.repeat(5000)}` })).toEqual({ failed: ['cgroup', 36], exit: undefined });
    const threaded = join(newGroup(), 'threaded');
    const invalid = join(threaded, 'invalid');
    for (const path of [threaded, invalid]) {
      mkdirSync(path);
      groups.unshift(path);
    }
    writeFileSync(join(threaded, 'cgroup.type'), 'threaded');
    expect(await run({ argv, cgroup: invalid })).toEqual({ failed: ['cgroup', 95], exit: undefined });
    expect(existsSync(file)).toBe(false);
    expect(await run({ argv, cgroup: newGroup() })).toMatchObject({ exit: { code: 0 } });
    expect(existsSync(file)).toBe(true);
  });
});
