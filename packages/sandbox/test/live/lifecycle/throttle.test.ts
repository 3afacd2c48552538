import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { box, members, newMark, processState, python, until } from './support.js';

/** By the guard, also where the kernel could do it. */
const held = (options: SandboxOptions) => box({ cgroup: 'none', ...options });

/** Percent of one processor that the program and what it waited for used. */
async function share(source: string, options: SandboxOptions): Promise<number> {
  const { cpu, durationMs, stderr, exitCode } = await held(options).run([python, '-I', '-c', source], { input: '' });
  expect([String(stderr), exitCode]).toEqual(['', 0]);
  return 100 * (cpu.userMs + cpu.systemMs) / durationMs;
}

const SPIN = 'import time, os, sys\nend = time.monotonic() + 2.5\ndef spin():\n while time.monotonic() < end: pass\n';
const pair = (start: string) => `${SPIN}
pids = []
for _ in range(2):
    pid = os.fork()
    if pid == 0: ${start}spin(); os._exit(0)
    pids.append(pid)
for pid in pids: os.waitpid(pid, 0)`;

describe('maxCpu', () => {
  // Bounds are far apart: the machine may do other things as well, and what is used before the first look is free.
  it('gives a busy program its share, and without it all there is', async () => {
    const limited = await share(`${SPIN}spin()`, { maxCpu: 8 });
    expect(limited).toBeLessThan(13);
    expect(limited).toBeGreaterThan(4);
    for (const options of [{ maxCpu: 100 }, {}]) expect(await share(`${SPIN}spin()`, options)).toBeGreaterThan(18);
  });

  it('is for all processes together, those in sessions of their own included', async () => {
    expect(await share(pair(''), { maxCpu: 8 })).toBeLessThan(16);
    expect(await share(pair('os.setsid(); '), { maxCpu: 8 })).toBeLessThan(16);
    expect(await share(pair('os.setsid(); '), {})).toBeGreaterThan(24);
  });

  it('counts children that were waited for', async () => {
    const many = `${SPIN}
while time.monotonic() < end:
    if os.fork() == 0:
        stop = time.monotonic() + 0.02
        while time.monotonic() < stop: pass
        os._exit(0)
    os.wait()`;
    expect(await share(many, { maxCpu: 8 })).toBeLessThan(14);
    expect(await share(many, {})).toBeGreaterThan(18);
  });

  it('ends a program that has itself continued again and again', async () => {
    // Timers that each send SIGCONT once, 2 ms apart: a stop discards those that are on their way, and not the others.
    const restless = `${SPIN}
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
class Event(ctypes.Structure): _fields_ = [('value', ctypes.c_void_p), ('signo', ctypes.c_int), ('notify', ctypes.c_int), ('rest', ctypes.c_char * 48)]
signal.signal(signal.SIGCONT, lambda *_: None)
event = Event(signo=signal.SIGCONT, notify=0)
for n in range(1, 1250):
    timer = ctypes.c_void_p()
    if libc.timer_create(1, ctypes.byref(event), ctypes.byref(timer)): raise OSError(ctypes.get_errno(), 'timer_create')
    if libc.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 0, n // 500, n % 500 * 2000000), None): raise OSError(ctypes.get_errno(), 'timer_settime')
spin()`;
    const { signal, reason, cpu } = await held({ maxCpu: 5 }).run([python, '-I', '-c', restless], { input: '' });
    expect([signal, reason]).toEqual(['SIGKILL', 'killed']);
    expect(cpu.userMs + cpu.systemMs).toBeLessThan(1200);
    expect(await share(restless, {})).toBeGreaterThan(18);
  });

  it('lets a program be in one long call, which meets no signal before its end', { timeout: 120_000 }, async () => {
    // The page of zeros, mapped two million times.
    const long = `
import mmap
NORESERVE_PRIVATE, NOHUGEPAGE, POPULATE_READ = 0x4022, 15, 22
region = mmap.mmap(-1, 8 << 30, flags=NORESERVE_PRIVATE, prot=mmap.PROT_READ)
region.madvise(NOHUGEPAGE)
region.madvise(POPULATE_READ)
region.close()
print('done')`;
    const { reason, exitCode, stdout, stderr } = await held({ maxCpu: 10 }).run([python, '-I', '-c', long], { input: '' });
    expect({ reason, exitCode, stdout: String(stdout), stderr: String(stderr) }).toEqual({ reason: 'exited', exitCode: 0, stdout: 'done\n', stderr: '' });
  });

  const deep = (depth: number, then: string) => `${SPIN}
for _ in range(${depth}):
    pid = os.fork()
    if pid: os._exit(abs(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
${then}`;

  it('counts and holds processes that are deep in the tree', { timeout: 120_000 }, async () => {
    const mark = newMark();
    const busy = deep(80, 'end = time.monotonic() + 100; spin()');
    const process = await held({ maxCpu: 1, maxProcesses: 100 }).spawn([python, '-I', '-c', busy, mark], { stdin: 'ignore' });
    await vi.waitFor(() => { expect(members(mark).length).toBe(81); }, 60_000);
    const deepest = members(mark).find((pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1') === '')!;
    await vi.waitFor(() => { expect(processState(deepest)).toBe('T'); }, { timeout: 30_000, interval: 5 });
    process.kill();
    await process.wait();
  });

  it('ends those that are too deep to be found', { timeout: 120_000 }, async () => {
    for (const [maxCpu, exitCode] of [[50, 9], [100, 7]] as const) {
      const result = await held({ maxCpu, maxProcesses: 400 }).run([python, '-I', '-c', deep(262, 'time.sleep(1); os._exit(7)')], { input: '' });
      expect([maxCpu, result.exitCode, String(result.stderr)]).toEqual([maxCpu, exitCode, '']);
    }
  });

  it('shows a parent that waits for stops none, or hardly any', async () => {
    const source = `${SPIN}
import signal
pid = os.fork()
if pid == 0: spin(); os._exit(0)
seen = []
while True:
    _, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
    if os.WIFSTOPPED(status): seen.append('stopped')
    elif os.WIFCONTINUED(status): pass
    else: break
print(len(seen))`;
    const process = await held({ maxCpu: 30 }).popen([python, '-I', '-c', source], { stdin: 'ignore' });
    const events: string[] = [];
    process.on('stop', () => events.push('stop'));
    process.on('continue', () => events.push('continue'));
    const { stdout, exitCode } = await process.wait();
    expect(exitCode).toBe(0);
    expect(Number(String(stdout))).toBeLessThanOrEqual(3); // of about thirty
    expect(events).toEqual([]);
  });

  it('leaves a process stopped that was stopped by itself', async () => {
    const source = `${SPIN}
import signal
pid = os.fork()
if pid == 0: os.kill(os.getpid(), signal.SIGSTOP); os._exit(7)
os.waitpid(pid, os.WUNTRACED)
spin()
print(os.waitpid(pid, os.WNOHANG | os.WCONTINUED)[0], open(f'/proc/{pid}/stat').read().split()[2])
os.kill(pid, signal.SIGCONT)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
    const { stdout } = await held({ maxCpu: 30 }).run([python, '-I', '-c', source], { input: '' });
    expect(String(stdout)).toBe('0 T\n7\n');
  });

  it('leaves a paused program paused, and goes on after it', async () => {
    const mark = newMark();
    const process = await held({ maxCpu: 30 }).spawn([python, '-I', '-c', `${pair('os.setsid(); ')}`, mark], { stdin: 'ignore' });
    await until('all three are there', () => members(mark).length === 3);
    await sleep(300); // and held by now
    process.pause();
    await sleep(200);
    const states: (string | undefined)[] = [];
    for (let n = 0; n < 30; n++) {
      states.push(...members(mark).map(processState));
      await sleep(20);
    }
    expect(states.length).toBeGreaterThan(60);
    // It runs until it meets its signal, which a busy machine puts off.
    expect(new Set(states.slice(states.indexOf('T')))).toEqual(new Set(['T']));
    process.resume();
    const { exitCode } = await process.wait();
    expect(exitCode).toBe(0);
    expect(members(mark)).toEqual([]);
  });

  it('delivers a signal to a program that it holds, without waiting for its next turn', async () => {
    // A program that was idle is looked at seldom, so it runs up a debt that it is held for some seconds for.
    const process = await held({ maxCpu: 1 }).spawn([python, '-I', '-c', `${SPIN.replace('2.5', '60')}time.sleep(1)\nspin()`], { stdin: 'ignore' });
    await sleep(1000);
    await vi.waitFor(() => { expect(processState(process.pid!)).toBe('T'); }, { timeout: 5000, interval: 5 });
    const began = performance.now();
    process.signal('SIGTERM');
    expect(await process.wait()).toMatchObject({ signal: 'SIGTERM' });
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
