/**
 * What a program can do to processes outside: its supervisor, its guard, and strangers of the same user.
 *
 * Nothing. Each way is tried beside the same on a process of its own, and by somebody who is not confined.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { iovec, u32, u64 } from './bytes.js';
import {
  answers, call, compiled, confined, describeConfined, granting, inContainer, said, script, step, unconfined,
  type Argument, type Step,
} from './calls.js';
import { Sentinel } from './sentinel.js';

const SIGKILL = 9, SIGTERM = 15, SIGURG = 23, SIGIO = 29;

let sentinel: Sentinel;
beforeAll(async () => { sentinel = await Sentinel.start(); });
afterAll(() => sentinel.end());

/** siginfo_t with a code that a program may give: SI_QUEUE. */
function siginfo(signal: number): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.writeInt32LE(signal, 0);
  bytes.writeInt32LE(-1, 8);
  return bytes;
}

/** Every call that sends a signal to a process. */
function signalling(pid: Argument, signal: number): Step[] {
  return [
    call('kill', pid, signal), call('tkill', pid, signal), call('tgkill', pid, pid, signal),
    call('rt_sigqueueinfo', pid, signal, siginfo(signal)), call('rt_tgsigqueueinfo', pid, pid, signal, siginfo(signal)),
  ];
}

const viaPidfd = (pid: Argument, signal: number): Step[] => [
  call('pidfd_open', pid, 0), call('pidfd_send_signal', { step: 0 }, signal, 0, 0), call('pidfd_send_signal', { step: 0 }, signal, siginfo(signal), 0),
];

describeConfined('signals to a process outside', () => {
  it('do not arrive, by whatever call', async () => {
    for (const signal of [0, SIGTERM, SIGKILL, 18 /* SIGCONT */, 40]) {
      expect(said(await confined(signalling(sentinel.pid, signal)))).toEqual(Array(5).fill('EPERM'));
      expect(said(await confined(viaPidfd(sentinel.pid, signal)))).toEqual(['ok', 'EPERM', 'EPERM']);
    }
    expect(await sentinel.signals()).toEqual([]);
    expect(sentinel.isRunning).toBe(true);
  });

  it('do not arrive at the supervisor either', async () => {
    for (const signal of [0, SIGURG]) {
      expect(said(await confined(signalling(process.pid, signal)))).toEqual(Array(5).fill('EPERM'));
      expect(said(await confined(viaPidfd(process.pid, signal)))).toEqual(['ok', 'EPERM', 'EPERM']);
    }
  });

  it('do not arrive at the guard, and the run goes on', async () => {
    const guard: Argument = { step: 0 };
    const steps = [call('getppid'), ...signalling(guard, SIGKILL), call('pidfd_open', guard, 0), call('pidfd_send_signal', { step: 6 }, SIGKILL, 0, 0), call('getppid')];
    const all = await confined(steps);
    expect(said(all)).toEqual(['ok', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'ok', 'EPERM', 'ok']);
    expect(all[0]!.result).toBeGreaterThan(1);
    expect(all[0]!.result).not.toBe(process.pid);
    expect(all.at(-1)!.result).toBe(all[0]!.result);
  });

  it('are sent for no descriptor\'s owner: F_SETOWN, F_SETOWN_EX, with SIGIO or SIGTERM', async () => {
    const F_SETFL = 4, F_SETOWN = 8, F_SETSIG = 10, F_SETOWN_EX = 15, O_ASYNC = 0o20000;
    const AF_UNIX = 1, SOCK_STREAM = 1;
    // A connected pair, numbers 3 and 4 in a program with nothing else open.
    const writing = (own: Step, signal: number): Step[] => [
      call('socketpair', AF_UNIX, SOCK_STREAM, 0, Buffer.alloc(8)), own, call('fcntl', 3, F_SETSIG, signal), call('fcntl', 3, F_SETFL, O_ASYNC),
      call('write', 4, 'x', 1),
    ];
    const ways = (pid: number): Step[][] => [0, SIGTERM].flatMap((signal) => [
      writing(call('fcntl', 3, F_SETOWN, pid), signal),
      writing(call('fcntl', 3, F_SETOWN_EX, Buffer.concat([u32(1), u32(pid)])), signal),
    ]);
    for (const steps of ways(sentinel.pid)) expect(said(await confined(steps)).at(-1)).toBe('ok');
    expect(await sentinel.signals()).toEqual([]);
    const other = await Sentinel.start();
    for (const steps of ways(other.pid)) unconfined(steps);
    expect(new Set(await other.signals())).toEqual(new Set([SIGIO, SIGTERM]));
    await other.end();
  });

  it('arrive at processes of its own', async () => {
    const steps = [step('sleeper'), ...signalling({ step: 0 }, 0), call('pidfd_open', { step: 0 }, 0), call('pidfd_send_signal', { step: 6 }, 0, 0, 0), call('kill', { step: 0 }, SIGKILL)];
    expect(said(await confined(steps))).toEqual(steps.map(() => 'ok'));
    expect(said(await confined([call('getpid'), call('kill', { step: 0 }, 0)]))).toEqual(['ok', 'ok']);
  });

  it('arrive when somebody sends them who is not confined', async () => {
    const other = await Sentinel.start();
    expect(said(unconfined(signalling(other.pid, SIGTERM)))).toEqual(Array(5).fill('ok'));
    expect(await other.signals()).toContain(SIGTERM);
    await other.end();
  });

  it('are not sent to everybody where the scope is off, and reach one stranger by number there, as told', async () => {
    const other = await Sentinel.start();
    const steps = [call('kill', -1, 0), call('kill', (1n << 32n) | 0xffffffffn, 0), call('kill', other.pid, SIGTERM)];
    expect(said(await confined(steps, { disable: ['signalScope'] }))).toEqual(['EPERM', 'EPERM', 'ok']);
    expect(await other.signals()).toEqual([SIGTERM]);
    await other.end();
  });
});

describeConfined('limits and priorities of a process outside', () => {
  const PRIO_PROCESS = 0, PRIO_PGRP = 1, PRIO_USER = 2;
  const RLIMIT_NOFILE = 7;
  const limits = Buffer.concat([u64(50), u64(60)]);
  /** struct sched_attr: size, policy SCHED_BATCH, flags, nice as set before. */
  const attributes = Buffer.concat([u32(48), u32(3), u64(0), u32(7), Buffer.alloc(28)]);
  const settings = (pid: Argument): Step[] => [
    call('prlimit64', pid, RLIMIT_NOFILE, limits, 0), call('prlimit64', pid, RLIMIT_NOFILE, 0, Buffer.alloc(16)),
    call('setpriority', PRIO_PROCESS, pid, 7), call('ioprio_set', 1, pid, (2 << 13) | 6),
    call('sched_setaffinity', pid, 8, u64(1)), call('sched_setscheduler', pid, 3, u32(0)), call('sched_setattr', pid, attributes, 0),
    call('sched_setparam', pid, u32(0)),
  ];

  it('stay as they are', async () => {
    const before = sentinel.state();
    const high = (pid: number): bigint => (5n << 32n) | BigInt(pid);
    for (const pid of [sentinel.pid, process.pid, process.ppid, high(sentinel.pid)]) {
      for (const options of [{}, { noSupervisor: true }, { keepCapabilities: true }] as SandboxOptions[]) {
        expect(said(await confined(settings(pid), options))).toEqual(Array(8).fill('EPERM'));
      }
    }
    expect(said(await confined([call('getppid'), ...settings({ step: 0 })])).slice(1)).toEqual(Array(8).fill('EPERM'));
    expect(sentinel.state()).toEqual(before);
  });

  it('of a whole group or user stay as they are', async () => {
    const before = sentinel.state();
    const steps = [
      call('setpriority', PRIO_PGRP, 0, 7), call('setpriority', PRIO_USER, 0, 7), call('setpriority', (1n << 32n) | 2n, 0, 7),
      call('ioprio_set', 2, 0, (2 << 13) | 6), call('ioprio_set', 3, 0, (2 << 13) | 6),
    ];
    expect(said(await confined(steps))).toEqual(steps.map(() => 'EPERM'));
    expect(sentinel.state()).toEqual(before);
  });

  it('are its own to set for itself', async () => {
    expect(said(await confined(settings(0)))).toEqual(Array(8).fill('ok'));
    expect(said(await confined([call('gettid'), ...settings({ step: 0 })]))).toEqual(Array(9).fill('ok'));
    expect(said(await confined(settings(0), { noSupervisor: true }))).toEqual(Array(8).fill('ok'));
  });

  it('change when somebody sets them who is not confined', async () => {
    const other = await Sentinel.start();
    const before = other.state();
    expect(said(unconfined(settings(other.pid)))).toEqual(Array(8).fill('ok'));
    expect(other.state()).not.toEqual(before);
    await other.end();
  });
});

describeConfined('memory of a process outside', () => {
  const PTRACE_ATTACH = 16, PTRACE_SEIZE = 0x4206;
  const buffer = (): Buffer => Buffer.alloc(8);
  const tracing = (pid: Argument): Step[] => [
    call('ptrace', PTRACE_ATTACH, pid, 0, 0), call('ptrace', PTRACE_SEIZE, pid, 0, 0),
    call('process_vm_readv', pid, iovec(buffer()), 1, iovec(buffer()), 1, 0), call('process_vm_writev', pid, iovec(buffer()), 1, iovec(buffer()), 1, 0),
    call('kcmp', pid, pid, 0, 0, 0),
  ];

  it('cannot be read, written or traced, with the ptrace group allowed or not', async () => {
    for (const pid of [sentinel.pid, process.pid]) {
      expect(said(await confined(tracing(pid)))).toEqual(Array(5).fill('EPERM'));
      expect(said(await confined(tracing(pid), { extraAllowSyscalls: ['ptrace'] }))).toEqual(Array(5).fill('EPERM'));
    }
    const guard = await confined([call('getppid'), ...tracing({ step: 0 })], { extraAllowSyscalls: ['ptrace'] });
    expect(said(guard).slice(1)).toEqual(Array(5).fill('EPERM'));
  });

  it('is open to a program\'s own processes once the group is allowed', async () => {
    const all = said(await confined([step('sleeper'), ...tracing({ step: 0 })], { extraAllowSyscalls: ['ptrace'] }));
    expect(all.slice(0, 2)).toEqual(['ok', 'ok']);
    expect(all[5]).toBe(inContainer ? 'EPERM' : 'ok'); // kcmp(2), which a container's filter denies
  });

  it('is open to somebody who is not confined', async () => {
    const other = await Sentinel.start();
    expect(said(unconfined(tracing(other.pid)))).toEqual(['ok', expect.any(String), expect.any(String), expect.any(String), inContainer ? 'EPERM' : 'ok']);
    process.kill(other.pid, 'SIGCONT'); // the tracer left it stopped
    await other.end();
  });

  it.each(['mem', 'environ', 'maps', 'auxv', 'fd/0', 'syscall', 'stack', 'root/etc'])('is not in /proc/<pid>/%s, even where /proc is granted', async (file) => {
    const read = (pid: string | number): Step[] => [call('openat', -100, `/proc/${pid}/${file}`, 0), call('read', { step: 0 }, Buffer.alloc(64), 64)];
    for (const pid of [sentinel.pid, process.pid]) {
      expect(said(await confined(read(pid), { fsReadable: ['/proc'] }))[0]).toBe('ENOENT');
    }
    if (['environ', 'maps', 'auxv'].includes(file)) expect(said(await confined(read('self'), { fsReadable: ['/proc'] }))).toEqual(['ok', 'ok']);
  });

  it('of the guard is as closed', async () => {
    const child = await new Sandbox(granting({ fsReadable: ['/proc'] })).popen([compiled('calls')]);
    const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))![1]!;
    const steps = ['mem', 'environ', 'maps', 'status'].map((file) => call('openat', -100, `/proc/${parent}/${file}`, 0));
    let text = '';
    child.stdout!.on('data', (data) => { text += String(data); });
    child.stdin!.end(script(steps));
    await child.wait();
    expect(said(answers(text, steps))).toEqual(Array(4).fill('ENOENT'));
  });
});
