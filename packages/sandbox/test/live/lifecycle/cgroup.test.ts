/**
 * Limits that the kernel keeps, in a control group of the run's own.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { ownCgroups } from '../../../src/cgroup/own-cgroups.js';
import type { SandboxOptions } from '../../../src/index.js';
import { cgroupBase, hasController, newCgroup, processesIn } from '../cgroups.js';
import { box, marked, members, newMark, processState, python, targets, until, untilSaid } from './support.js';

const MIB = 2 ** 20;
const isDelegated = hasController('memory') && hasController('cpu');

const limited = (options: SandboxOptions) => box({ cgroup: cgroupBase!, ...options });

async function run(source: string, options: SandboxOptions) {
  const result = await limited(options).run([python, '-I', '-c', source], { input: '' });
  return { ...result, stdout: String(result.stdout), stderr: String(result.stderr) };
}

const groups = () => readdirSync(cgroupBase!).filter((name) => name.startsWith('sandlock-')).map((name) => join(cgroupBase!, name));
const content = (group: string, name: string) => readFileSync(join(group, name), 'latin1').trim();

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const TOUCH = 'def touch(mib):\n b = bytearray(mib << 20)\n for i in range(0, len(b), 4096): b[i] = 1\n return b\n';

describe.skipIf(!isDelegated)('the control group of a run [needs a delegated cgroup]', () => {
  beforeAll(() => writeFileSync(join(cgroupBase!, 'cgroup.subtree_control'), '+memory +cpu'));

  it('is a new one with its limits, has the program in it and no one else, and goes with it', async () => {
    expect(groups()).toEqual([]);
    const child = await limited({ maxMemory: '64M', maxCpu: 50 }).spawn(['/bin/sleep', '1000'], { stdin: 'ignore' });
    const [group, ...more] = groups();
    expect(more).toEqual([]);
    expect(processesIn(group!)).toEqual([child.pid]);
    expect(['memory.max', 'cpu.max', 'cgroup.max.descendants'].map((name) => content(group!, name))).toEqual([String(64 * MIB), '50000 100000', '0']);
    if (existsSync(join(group!, 'memory.swap.max'))) expect(content(group!, 'memory.swap.max')).toBe('0');
    await child.kill();
    expect(groups()).toEqual([]);
    expect((await child.wait()).capabilities.cgroup).toEqual(['memory', 'cpu']);
    expect((await limited({}).run(['/bin/true'])).capabilities.cgroup).toEqual([]);
    expect((await limited({ cgroup: 'none', maxMemory: '64M' }).run(['/bin/true'])).capabilities.cgroup).toBeNull();
  });

  it('holds a program that waits for its start', async () => {
    const child = await limited({ maxMemory: '64M' }).create(['/bin/true']);
    expect(processesIn(groups()[0]!)).toEqual([child.pid]);
    await child.start();
    expect(await child.wait()).toMatchObject({ ok: true });
    expect(groups()).toEqual([]);
  });

  it('is not left behind by a start that fails', async () => {
    await expect(limited({ maxMemory: '64M' }).run(['/does/not/exist'])).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC' });
    await expect(limited({ maxMemory: '64M' }).run(['/bin/true'], { fds: { 9: 9999 } })).rejects.toMatchObject({ code: 'ERR_SANDLOCK_SPAWN' });
    expect(groups()).toEqual([]);
  });

  it('ends a program that uses more memory than it may, and says so', async () => {
    const source = `${TOUCH}touch(200)\nprint("written")`;
    const exceeded = await run(source, { maxMemory: '64M' });
    expect(exceeded).toMatchObject({ reason: 'memory', signal: 'SIGKILL', ok: false, stdout: '' });
    expect(exceeded.peaks.memoryBytes).toBeLessThan(80 * MIB); // with pages of files that others have read
    expect(exceeded.peaks.memoryBytes).toBeGreaterThan(48 * MIB);
    expect(await run(source, { maxMemory: '512M' })).toMatchObject({ reason: 'exited', stdout: 'written\n' });
  });

  it.skipIf(process.getuid!() !== 0)('ends a program also where its supervisor is one that the kernel is not to end [needs root]', async () => {
    const adjustment = '/proc/self/oom_score_adj';
    const before = readFileSync(adjustment, 'latin1');
    writeFileSync(adjustment, '-1000');
    try {
      const ended = await limited({ maxMemory: '64M' }).run([python, '-I', '-c', `${TOUCH}touch(200)`], { input: '', timeout: 20_000 });
      expect(ended.reason).toBe('memory');
      const told = await limited({}).run(['/bin/cat', adjustment], { input: '' });
      expect(String(told.stdout)).toBe('0\n');
    } finally {
      writeFileSync(adjustment, before);
    }
  });

  it('counts all processes, also those in sessions of their own, and files in memory', async () => {
    const source = `${TOUCH}import os, time
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: b = touch(30); time.sleep(2); print("alive", flush=True)
        os._exit(0)
while True:
    try: os.wait()
    except ChildProcessError: break
time.sleep(4)`;
    const alive = async (maxMemory: string) => (await run(source, { maxMemory })).stdout.split('\n').filter(Boolean).length;
    expect(await alive('100M')).toBeLessThan(4);
    expect(await alive('512M')).toBe(4);

    const folder = mkdtempSync('/dev/shm/sandlock-cgroup-');
    folders.push(folder);
    const fill = (name: string) => `f = open('${folder}/${name}', 'wb', 0)\nfor _ in range(200): f.write(bytes(1 << 20))`;
    expect(await run(fill('limited'), { maxMemory: '64M', fsWritable: [folder] })).toMatchObject({ reason: 'memory' });
    expect(statSync(join(folder, 'limited')).size).toBeLessThan(64 * MIB);
    expect(await run(fill('free'), { maxMemory: '512M', fsWritable: [folder] })).toMatchObject({ reason: 'exited' });
    expect(statSync(join(folder, 'free')).size).toBe(200 * MIB);
  });

  it('is no reason when another process is ended, or the program by somebody else', async () => {
    const child = `${TOUCH}import os\npid = os.fork()\nif pid == 0: touch(200); os._exit(0)\nprint(os.waitpid(pid, 0)[1], flush=True)\n`;
    expect(await run(child, { maxMemory: '64M' })).toMatchObject({ reason: 'exited', stdout: '9\n' });
    expect(await run('import os; os.kill(os.getpid(), 9)', { maxMemory: '64M' })).toMatchObject({ reason: 'killed' });
    const process = await limited({ maxMemory: '64M' }).popen([python, '-I', '-c', `${child}import time; time.sleep(1000)`], { stdin: 'ignore' });
    await untilSaid(process.stdout!, '9');
    await process.kill();
    expect(await process.wait()).toMatchObject({ reason: 'killed' });
  });

  it('refuses requests on request, before the kernel would end anybody', async () => {
    const source = 'try: b = bytearray(200 << 20)\nexcept MemoryError: print("refused")';
    expect(await run(source, { maxMemory: '64M', onMemoryExceeded: 'enomem' })).toMatchObject({ reason: 'exited', stdout: 'refused\n' });
    expect(await run(`${TOUCH}import mmap\nm = mmap.mmap(-1, 200 << 20, flags=0x4022)\nfor i in range(0, len(m), 4096): m[i] = 1`,
      { maxMemory: '64M', onMemoryExceeded: 'enomem' })).toMatchObject({ reason: 'memory' });
  });

  it('is what /proc/meminfo and the files of a control group tell', async () => {
    const source = `${TOUCH}
def free(): return [int(line.split()[1]) for line in open('/proc/meminfo') if line.startswith(('MemTotal', 'MemFree'))]
before = free(); b = touch(100); after = free()
print(before[0], before[1] - after[1] > 90 << 10, before[1] - after[1] < 110 << 10, open('/sys/fs/cgroup/memory.max').read().strip())`;
    const { stdout, stderr } = await run(source, { maxMemory: '256M', fsReadable: ['/usr', '/etc', '/proc', '/lib', '/lib64', '/sys/fs/cgroup'] });
    expect([stdout, stderr]).toEqual([`${256 << 10} True True ${256 * MIB}\n`, '']);
  });

  it('gives all processes together their share of a processor, and stops none', async () => {
    const mark = newMark();
    const source = `import os, time
end = time.monotonic() + 3
def spin():
    while time.monotonic() < end: pass
pid = os.fork()
if pid == 0: os.setsid(); spin(); os._exit(0)
spin(); os.waitpid(pid, 0)`;
    const child = await limited({ maxCpu: 10 }).spawn([python, '-I', '-c', source, mark], { stdin: 'ignore' });
    const states = new Set<string | undefined>();
    while (child.isRunning) {
      for (const pid of members(mark)) states.add(processState(pid));
      await sleep(20);
    }
    const { cpu, durationMs, capabilities, exitCode } = await child.wait();
    expect([exitCode, capabilities.cgroup]).toEqual([0, ['cpu']]);
    expect(100 * (cpu.userMs + cpu.systemMs) / durationMs).toBeLessThan(15);
    expect([...states]).not.toContain('T');
    const free = await limited({ maxCpu: 100 }).run([python, '-I', '-c', source], { input: '' });
    expect(100 * (free.cpu.userMs + free.cpu.systemMs) / free.durationMs).toBeGreaterThan(25);
  });

  it('is paused and resumed as without', async () => {
    const child = await limited({ maxCpu: 50 }).spawn(['/bin/sleep', '1000'], { stdin: 'ignore' });
    child.pause();
    await until('it is stopped', () => processState(child.pid!) === 'T');
    child.resume();
    await until('it goes on', () => processState(child.pid!) === 'S');
    await child.kill();
  });

  it('cannot be left, changed or filled with groups by the program, even where everything may be written', async () => {
    const source = `
import ctypes, os, struct, sys
base = sys.argv[1]
own = [base + '/' + name for name in os.listdir(base) if name.startswith('sandlock-')]
def tried(act):
    try: return act() or 'ok'
    except OSError as error: return os.strerror(error.errno)
def write(path, text): open(path, 'w').write(text)
for group in own:
    for name, text in (('memory.max', 'max'), ('cpu.max', 'max'), ('cgroup.procs', '0'), ('cgroup.max.descendants', 'max'), ('cgroup.kill', '1')):
        print(name, tried(lambda: write(group + '/' + name, text)))
    print('mkdir', tried(lambda: os.mkdir(group + '/x')))
    print('rmdir', tried(lambda: os.rmdir(group)))
for name in ('cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'): print(name, tried(lambda: write(base + '/' + name, '0')))
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open(base, os.O_PATH)
args = struct.pack('11Q', 0x200000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, fd) # CLONE_INTO_CGROUP
print('clone3', os.strerror(ctypes.get_errno()) if libc.syscall(435, args, len(args)) < 0 else 'ok')
print(len(own), open(own[0] + '/cgroup.procs').read().split() == [str(os.getpid())])`;
    const base = newCgroup('open');
    const { stdout, stderr } = await limited({ cgroup: base, maxMemory: '256M', maxCpu: 90, fsWritable: ['/'] })
      .run([python, '-I', '-c', source, base], { input: '' });
    const refused = (...names: string[]) => names.map((name) => `${name} Permission denied`);
    expect([String(stdout).trim().split('\n'), String(stderr)]).toEqual([[
      ...refused('memory.max', 'cpu.max', 'cgroup.procs', 'cgroup.max.descendants', 'cgroup.kill'),
      'mkdir Resource temporarily unavailable', 'rmdir Device or resource busy',
      ...refused('cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'),
      'clone3 Function not implemented', '1 True',
    ], '']);
    expect(readdirSync(base).filter((name) => name.startsWith('sandlock-'))).toEqual([]);
  });

  it('ends everybody in it when the guard is killed from outside', async () => {
    const mark = newMark();
    const child = await limited({}).popen([python, `${targets}/unruly.py`, 'own-session', mark, 'stay'], { stdin: 'ignore' });
    await untilSaid(child.stdout!, 'ready');
    expect(members(mark).length).toBeGreaterThan(1);
    const guard = marked(mark).find((pid) => !members(mark).includes(pid))!;
    process.kill(guard, 'SIGKILL');
    await expect(child.wait()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CHILD_SETUP' });
    expect(members(mark)).toEqual([]);
    expect(groups()).toEqual([]);
  });

  it('fails a start that its named group cannot serve, and nothing runs', async () => {
    const bare = newCgroup('bare');
    const refused = (cgroup: string, options: SandboxOptions = { maxMemory: '64M' }) => limited({ ...options, cgroup }).run(['/bin/true']);
    await expect(refused('/tmp')).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CGROUP', message: expect.stringContaining('version 2') as string });
    writeFileSync(join(bare, 'cgroup.max.descendants'), '0');
    await expect(refused(bare)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CGROUP', message: expect.stringContaining('EAGAIN') as string });
    const child = await limited({}).spawn(['/bin/sleep', '1000'], { stdin: 'ignore' });
    const [busy] = groups();
    await expect(refused(busy!)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CGROUP', message: expect.stringContaining('there are processes') as string });
    await child.kill();
  });

  it.skipIf(cgroupBase === undefined || !ownCgroups().includes(cgroupBase))('is made without being asked for, where limits are [needs tests within that cgroup]', async () => {
    const asked = async (options: SandboxOptions) => (await box(options).run(['/bin/true'])).capabilities.cgroup;
    expect(await asked({ maxMemory: '64M' })).toEqual(['memory']);
    expect(await asked({ maxCpu: 50 })).toEqual(['cpu']);
    expect(await asked({})).toBeNull();
    expect(await asked({ maxCpu: 50, noSupervisor: true })).toBeNull();
    expect(groups()).toEqual([]);
  });
});
