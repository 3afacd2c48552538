import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { offer } from '../src/cgroup/controllers.js';
import { setLimits } from '../src/cgroup/limits.js';
import { openCgroup } from '../src/cgroup/open-cgroup.js';
import { ownCgroups } from '../src/cgroup/own-cgroups.js';
import { finalUse, usedBytes } from '../src/cgroup/usage.js';
import { buildPolicy } from '../src/policy/build-policy.js';
import type { SandboxOptions } from '../src/index.js';

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});

/** A folder with the files of a control group. */
function group(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'sandlock-group-'));
  made.push(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

const delegated = (files: Readonly<Record<string, string>> = {}) => group({
  'cgroup.type': 'domain\n', 'cgroup.controllers': 'cpuset cpu memory pids\n', 'cgroup.subtree_control': 'memory\n', 'cgroup.procs': '', ...files,
});

describe('the control groups of a process', () => {
  const mounts = '30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n';
  const own = (membership: string, root = '/sys/fs/cgroup', mountTable = mounts, given = true) => ownCgroups({
    mounts: mountTable, membership, isRoot: (directory) => directory === root, isGiven: () => given,
  });

  it('are its own and the one above', () => {
    expect(own('0::/system.slice/x.service/main\n')).toEqual(['/sys/fs/cgroup/system.slice/x.service/main', '/sys/fs/cgroup/system.slice/x.service']);
    expect(own('9:pids:/a\n0::/init\n', 'none')).toEqual(['/sys/fs/cgroup/init', '/sys/fs/cgroup']);
  });

  it('do not include a slice above, nor the root of all above', () => {
    expect(own('0::/user.slice/u.slice/a.scope\n')).toEqual(['/sys/fs/cgroup/user.slice/u.slice/a.scope']);
    expect(own('0::/init.scope\n')).toEqual(['/sys/fs/cgroup/init.scope']);
  });

  it('do not include one above that was given to nobody', () => {
    expect(own('0::/system.slice/x.service/main\n', '/sys/fs/cgroup', mounts, false)).toEqual(['/sys/fs/cgroup/system.slice/x.service/main']);
    expect(own('0::/docker/abc\n', '/sys/fs/cgroup', mounts, false)).toEqual(['/sys/fs/cgroup/docker/abc']);
  });

  it('include the root of all for a process in it', () => {
    expect(own('0::/\n')).toEqual(['/sys/fs/cgroup']);
  });

  it('are none where they cannot be seen', () => {
    expect(own('0::/../other\n')).toEqual([]);
    expect(own('4:memory:/a\n')).toEqual([]);
    expect(own('0::/a\n', '', '30 24 0:26 /part /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n')).toEqual([]);
    expect(own('0::/a\n', '', '30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n')).toEqual([]);
  });
});

describe('what a control group offers', () => {
  it('is what is switched on for its children, and what can be', () => {
    const path = delegated();
    expect(offer(path, ['memory'])).toEqual({ has: ['memory'], lacks: new Map() });
    expect(readFileSync(join(path, 'cgroup.subtree_control'), 'latin1')).toBe('memory\n');
    expect(offer(path, ['memory', 'cpu']).has).toEqual(['memory', 'cpu']);
    expect(readFileSync(join(path, 'cgroup.subtree_control'), 'latin1')).toBe('+cpu');
  });

  it('is nothing that would need processes to be moved', () => {
    const path = delegated({ 'cgroup.procs': '12\n' });
    const { has, lacks } = offer(path, ['memory', 'cpu']);
    expect([has, lacks.get('cpu')]).toEqual([['memory'], expect.stringContaining('processes')]);
    expect(readFileSync(join(path, 'cgroup.subtree_control'), 'latin1')).toBe('memory\n');
  });

  it('is what can be switched on in the root of all, with its processes', () => {
    const path = group({ 'cgroup.controllers': 'cpu\n', 'cgroup.subtree_control': '\n', 'cgroup.procs': '1\n' });
    const { has, lacks } = offer(path, ['memory', 'cpu']);
    expect([has, lacks.get('memory')]).toEqual([['cpu'], expect.stringContaining('has no memory controller')]);
  });

  it('is nothing in a folder, or in a group of threads', () => {
    expect(() => offer(group({}), [])).toThrow('no control group of version 2');
    expect(() => offer('/does/not/exist', [])).toThrow('no control group of version 2');
    expect(() => offer(delegated({ 'cgroup.type': 'threaded\n' }), [])).toThrow('"threaded"');
  });
});

describe('limits and usage', () => {
  it('are written as the kernel takes them', () => {
    const files = { 'cgroup.max.descendants': '', 'memory.max': '', 'memory.swap.max': '', 'cpu.max': '' };
    const path = group(files);
    setLimits(path, { memory: 64 << 20, cpu: 8 });
    expect(Object.keys(files).map((name) => readFileSync(join(path, name), 'latin1'))).toEqual(['0', '67108864', '0', '8000 100000']);
  });

  it('leave out swap where there is none, and nothing else', () => {
    const path = group({ 'cgroup.max.descendants': '', 'memory.max': '' });
    setLimits(path, { memory: 4096 });
    expect(readFileSync(join(path, 'memory.max'), 'latin1')).toBe('4096');
    expect(() => setLimits(path, { cpu: 8 })).toThrow('ENOENT');
  });

  it('count what is not merely cached', () => {
    const path = group({ 'memory.current': '1000\n', 'memory.stat': 'anon 600\nfile 400\ninactive_file 100\nactive_file 50\n' });
    expect(usedBytes(path)).toBe(850);
  });

  it('are told at the end, as zeros where the group is gone', () => {
    expect(finalUse(group({ 'memory.events': 'low 0\noom 3\noom_kill 2\n', 'memory.peak': '4096\n' }))).toEqual({ oomKills: 2, peakBytes: 4096 });
    expect(finalUse('/does/not/exist')).toEqual({ oomKills: 0, peakBytes: 0 });
  });
});

describe('a run', () => {
  const open = (options: SandboxOptions, own: () => readonly string[] = () => []) => openCgroup(buildPolicy(options, 'x86_64').policy, own);

  it.each<[string, () => string, string]>([
    ['is no group', () => group({}), 'no control group'],
    ['has processes', () => delegated({ 'cgroup.subtree_control': '\n', 'cgroup.procs': '7\n' }), 'there are processes'],
    ['has no such controller', () => delegated({ 'cgroup.controllers': 'cpu\n' }), 'no memory controller'],
    ['takes no group', () => delegated(), 'no group can be made in it'],
  ])('fails where the group that was named %s', (_, path, why) => {
    const directory = path();
    expect(() => open({ cgroup: directory, maxMemory: '64M' })).toThrow(expect.objectContaining({
      name: 'ConfinementError', code: 'ERR_SANDLOCK_CGROUP', path: directory, message: expect.stringContaining(why) as string,
    }));
  });

  it('has none where none was found, none is wanted or none would be kept', () => {
    const asked = () => { throw new Error('asked'); };
    expect(open({ maxMemory: '64M' })).toBeUndefined();
    expect(open({ maxMemory: '64M' }, () => [group({}), delegated()])).toBeUndefined();
    for (const options of [{}, { cgroup: 'none', maxMemory: '64M' }, { noSupervisor: true, maxCpu: 8 }] as const) expect(open(options, asked)).toBeUndefined();
  });

  it('leaves nothing where a group was made that is none', () => {
    const path = delegated();
    const before = readdirSync(path);
    expect(() => open({ cgroup: path, maxMemory: '64M' })).toThrow('ENOENT');
    expect(open({ maxMemory: '64M' }, () => [path])).toBeUndefined();
    expect(readdirSync(path)).toEqual(before);
  });
});
