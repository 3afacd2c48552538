import { AUDIT_ARCH, arg } from '@sandlock/bpf';
import { O_CLOEXEC } from '@sandlock/sys';
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { action, decodeOpen, DispatchTable, type Handler, type HandlerContext, type HandlerOptions, type NotifAction, type SupervisorOptions } from '../../src/index.js';
import { deferred, until } from '../supervised.js';
import { arch, hasPython, Target } from './target.js';

const { EACCES, EAGAIN, EBADF, EIO, EMFILE, ENOENT, ENOMEM, ENOSYS, EPERM } = constants.errno;
const AT_FDCWD = -100;
const [major, minor] = release().split('.').map(Number) as [number, number];
const linux = (wantMajor: number, wantMinor: number) => major > wantMajor || (major === wantMajor && minor >= wantMinor);

const targets: Target[] = [];
afterEach(async () => {
  for (const target of targets.splice(0)) await target.end();
});

async function running(
  entries: readonly (readonly [string, Handler, HandlerOptions?])[], options: Partial<SupervisorOptions> = {},
): Promise<Target> {
  const table = new DispatchTable();
  for (const [name, handler, opts] of entries) table.on(name, handler, opts);
  const target = await Target.start(table, options);
  targets.push(target);
  return target;
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dispatch-live-'));
  writeFileSync(join(directory, 'file'), 'host content');
});
afterAll(() => { rmSync(directory, { recursive: true }); });

describe.skipIf(!hasPython)('a supervisor over the kernel\'s listener [needs python3, Linux 5.14]', () => {
  it.skipIf(!linux(6, 6))('wakes targets synchronously [needs Linux 6.6]', async () => {
    const target = await running([['getpid', () => action.continue()]]);
    expect(target.listener.syncWakeUp).toBe(true);
    expect(target.supervisor.diagnostics().syncWakeUp).toBe(true);
  });

  it('gives a return value exactly, and lets calls continue', async () => {
    const target = await running([
      ['getpid', () => action.returnValue(777)], ['getppid', () => action.continue()], ['getuid', () => action.returnValue(2n ** 40n)],
    ]);
    expect(await target.call('getpid')).toMatchObject({ result: 777 });
    expect(await target.call('getppid')).toMatchObject({ result: process.pid });
    expect(await target.call('getuid')).toMatchObject({ result: 2 ** 40 });
    expect(await target.call('getgid')).toMatchObject({ result: process.getgid!() });
    expect(target.supervisor.stats()).toMatchObject({ notifications: 3, syscalls: { getpid: 1, getppid: 1, getuid: 1 } });
  });

  it('asks handlers in order until one answers', async () => {
    const seen: string[] = [];
    const target = await running([
      ['getcwd', () => { seen.push('first'); return action.continue(); }],
      ['getcwd', ({ args }) => { seen.push('second'); return args[1]! > 1n ? action.continue() : action.errno('EACCES'); }],
    ]);
    expect(await target.call('getcwd', { space: 4096 }, 1)).toMatchObject({ result: -1, errno: EACCES });
    expect((await target.call('getcwd', { space: 4096 }, 4096)).buffers[0]!.split('\0')[0]).toBe(process.cwd());
    expect(seen).toEqual(['first', 'second', 'first', 'second']);
  });

  it('is only asked about calls whose conditions hold', async () => {
    const target = await running([['getpriority', () => action.returnValue(5), { when: arg(1).eq(4321) }]]);
    expect(await target.call('getpriority', 0, 4321)).toMatchObject({ result: 5 });
    expect((await target.call('getpriority', 0, 0)).result).not.toBe(5);
    expect(target.supervisor.stats().notifications).toBe(1);
  });

  it('reports thread id, architecture and registers', async () => {
    let seen: HandlerContext | undefined;
    const target = await running([['getpriority', (context) => { seen = context; return action.returnValue(1); }]]);
    const { tid } = await target.callInThread('getpriority', -1, 2 ** 31);
    expect(seen).toMatchObject({ pid: tid, arch: AUDIT_ARCH[arch], name: 'getpriority' });
    expect(seen!.pid).not.toBe(target.child.pid);
    expect(seen!.args.slice(0, 2)).toEqual([2n ** 64n - 1n, 2n ** 31n]);
    expect(seen!.isValid()).toBe(false);
  });

  it('serves a file that is not there: sealed, close-on-exec, from the start', async () => {
    const target = await running([['openat', (context) => {
      const open = decodeOpen(context);
      if (!open.ok) return open.deny();
      return open.text === '/no/such/file' ? action.bytes('from the supervisor') : action.continue();
    }]]);
    const { result: fd } = await target.call('openat', AT_FDCWD, { text: '/no/such/file' }, 0, 0);
    expect(fd).toBeGreaterThan(2);
    expect(await target.ask({ op: 'read', fd })).toEqual({ content: 'from the supervisor' });
    expect(await target.ask({ op: 'write', fd })).toEqual({ errno: EPERM });
    expect(await target.ask({ op: 'inheritable', fd })).toEqual({ inheritable: false });
    expect(await target.call('openat', AT_FDCWD, { text: '/no/other/file' }, 0, 0)).toMatchObject({ result: -1, errno: ENOENT });
    const { result: host } = await target.call('openat', AT_FDCWD, { text: join(directory, 'file') }, 0, 0);
    expect(await target.ask({ op: 'read', fd: host })).toEqual({ content: 'host content' });
  });

  it('injects a descriptor of its own and tells its number', async () => {
    const injected: number[] = [];
    const fds: number[] = [];
    const target = await running([['getpid', () => {
      const srcFd = openSync(join(directory, 'file'), 'r');
      fds.push(srcFd);
      return action.injectFdSendTracked({ srcFd, newFdFlags: 0, onInjected: (fd) => injected.push(fd) });
    }]]);
    const { result: fd } = await target.call('getpid');
    expect(injected).toEqual([fd]);
    expect(await target.ask({ op: 'read', fd })).toEqual({ content: 'host content' });
    expect(await target.ask({ op: 'inheritable', fd })).toEqual({ inheritable: true });
    const ours = readdirSync('/proc/self/fd').filter((each) => linkOf(each) === join(directory, 'file'));
    expect({ handedOver: fds.length, ours }).toEqual({ handedOver: 1, ours: [] });
  });

  it('puts a descriptor at a chosen number and lets the call run', async () => {
    const srcFd = openSync(join(directory, 'file'), 'r');
    const target = await running([['getppid', () => action.injectFd({ srcFd, targetFd: 50, newFdFlags: O_CLOEXEC })]]);
    expect(await target.call('getppid')).toMatchObject({ result: process.pid });
    expect(await target.ask({ op: 'read', fd: 50 })).toEqual({ content: 'host content' });
    closeSync(srcFd);
  });

  it('passes the target\'s own descriptor limit on as such', async () => {
    const target = await running([['getpid', () => action.bytes('x')]]);
    expect((await target.call('getpid')).errno).toBe(0);
    await target.ask({ op: 'limit', files: 3 });
    expect(await target.call('getpid')).toMatchObject({ result: -1, errno: EMFILE });
  });

  it('reads strings up to the end of a mapping, and says what a bad pointer is', async () => {
    const seen: unknown[] = [];
    const target = await running([['chdir', (context) => {
      const path = context.readPath();
      seen.push(path.ok ? path.text : path.reason);
      return path.ok ? action.returnValue(0) : path.deny();
    }]]);
    expect(await target.call('chdir', { edge: '/up/to/the/edge' })).toMatchObject({ result: 0 });
    expect(await target.call('chdir', { text: '/\xff' })).toMatchObject({ result: 0 });
    expect(await target.call('chdir', 0)).toMatchObject({ errno: constants.errno.EFAULT });
    expect(await target.call('chdir', 1)).toMatchObject({ errno: constants.errno.EFAULT });
    expect(await target.call('chdir', { text: 'x'.repeat(5000) })).toMatchObject({ errno: constants.errno.ENAMETOOLONG });
    expect(seen).toEqual(['/up/to/the/edge', '/\udcff', 'fault', 'fault', 'truncated']);
  });

  it('writes into a target, and not over what the target may not write', async () => {
    const target = await running([['uname', (context) => {
      const written = context.writeMemory(context.args[0]!, Buffer.from('written'));
      return written.ok ? action.returnValue(0) : written.deny();
    }]]);
    expect((await target.call('uname', { space: 16 })).buffers[0]!.slice(0, 8)).toBe('written\0');
    expect(await target.call('uname', { readOnly: 4096 })).toMatchObject({ errno: constants.errno.EFAULT });
  });

  it('copies a descriptor of a target, also for a thread', async () => {
    const inodes: unknown[] = [];
    const target = await running([['fsync', (context) => {
      const copy = context.dupFd(context.args[0]!);
      if (!copy.ok) return copy.deny();
      inodes.push(fstatSync(copy.fd).ino);
      closeSync(copy.fd);
      return action.returnValue(0);
    }]]);
    const { result: fd } = await target.call('openat', AT_FDCWD, { text: join(directory, 'file') }, 0, 0);
    const { ino } = statSync(join(directory, 'file'));
    expect(await target.call('fsync', fd)).toMatchObject({ result: 0 });
    expect(await target.callInThread('fsync', fd)).toMatchObject({ result: 0 });
    expect(await target.call('fsync', 999)).toMatchObject({ result: -1, errno: EBADF });
    expect(inodes).toEqual([ino, ino]);
  });

  it('answers later with what a promise brings, and other calls meanwhile', async () => {
    const answer = deferred<NotifAction>();
    const target = await running([['getpid', () => answer.promise]]);
    const call = target.call('getpid');
    await until(() => target.supervisor.diagnostics().deferred.length === 1);
    answer.resolve(action.errno('EACCES'));
    expect(await call).toMatchObject({ result: -1, errno: EACCES });
  });

  it('gives a promise up, with its signal, when the target is killed', async () => {
    let signal: AbortSignal | undefined;
    const target = await running([['getpid', (context) => {
      signal = context.signal;
      return new Promise<NotifAction>(() => undefined);
    }]], { limits: { sweepMs: 5 } });
    target.send({ op: 'call', nr: numberOf('getpid'), args: [] });
    await until(() => signal !== undefined);
    expect(signal!.aborted).toBe(false);
    target.child.kill('SIGKILL');
    await until(() => signal!.aborted);
    expect(target.supervisor.stats()).toMatchObject({ stale: 1 });
  });

  it('holds a call until it is released', async () => {
    const target = await running([['getpid', () => action.hold()]]);
    const call = target.call('getpid');
    await until(() => target.supervisor.diagnostics().held.length === 1);
    const [held] = target.supervisor.diagnostics().held;
    expect(target.supervisor.release(held!.id, action.errno('EAGAIN'))).toBe(true);
    expect(await call).toMatchObject({ errno: EAGAIN });
  });

  it.each([['denyEperm', EPERM], ['denyEio', EIO]] as const)('answers for a handler that throws, by policy %s', async (onException, errno) => {
    const target = await running([['getpid', () => { throw new Error('handler'); }, { onException }]]);
    expect(await target.call('getpid')).toMatchObject({ result: -1, errno });
    expect(await target.call('getppid')).toMatchObject({ result: process.pid });
  });

  it('kills the group of a target whose handler throws, by default', async () => {
    const target = await running([['getpid', () => { throw new Error('handler'); }]]);
    target.send({ op: 'call', nr: numberOf('getpid'), args: [] });
    expect(await target.exited).toBe('SIGKILL');
  });

  it('kills the process of a thread on request, and the call is answered', async () => {
    const target = await running([
      ['getpid', () => action.kill({ signal: constants.signals.SIGKILL, target: 'task' })],
      ['getppid', () => action.kill({ signal: constants.signals.SIGCONT, target: 'task' })],
    ]);
    expect(await target.callInThread('getppid')).toMatchObject({ result: -1, errno: ENOMEM });
    target.send({ op: 'thread', nr: numberOf('getpid'), args: [] });
    expect(await target.exited).toBe('SIGKILL');
  });

  it('ends when the last task of the filter is gone', async () => {
    let ended = false;
    const target = await running([['getpid', () => action.returnValue(1)]], { onEnd: () => { ended = true; } });
    await target.call('getpid');
    target.child.stdin!.end();
    expect(await target.exited).toBe(null);
    await until(() => ended);
    expect(target.supervisor.diagnostics().state).toBe('ended');
  });

  it('leaves ENOSYS behind when it closes', async () => {
    const target = await running([['getpid', () => action.hold()]]);
    const held = target.call('getpid');
    await until(() => target.supervisor.diagnostics().held.length === 1);
    await target.supervisor.close();
    expect(await held).toMatchObject({ errno: EPERM });
    expect(await target.call('getpid')).toMatchObject({ result: -1, errno: ENOSYS });
    expect(await target.call('getppid')).toMatchObject({ result: process.pid });
  });

  it('tells a deferred exec from an inline one', async () => {
    const target = await running([
      ['execve', (context) => (context.args[1] === 0n ? Promise.resolve(action.continue()) : action.errno('EACCES'))],
    ]);
    expect(await target.call('execve', { text: '/no/such/program' }, 0, 0)).toMatchObject({ errno: EPERM });
    expect(await target.call('execve', { text: '/no/such/program' }, 1, 0)).toMatchObject({ errno: EACCES });
  });

  it('outlives targets that die at random with calls of every kind outstanding', async () => {
    const before = openFds();
    let n = 0;
    const handler: Handler = () => {
      switch (n++ % 5) {
        case 0: return action.returnValue(0);
        case 1: return action.bytes('x');
        case 2: return new Promise((resolve) => { setTimeout(() => { resolve(action.bytes('y')); }, 1); });
        case 3: return action.hold({ limitMs: 5 });
        default: return action.continue();
      }
    };
    const storm = await Promise.all(Array.from({ length: 6 }, () => running([['getpid', handler]], { limits: { sweepMs: 10 } })));
    const ends = storm.map((target, i) => {
      if (i % 2 === 0) return target.ask({ op: 'storm', nr: numberOf('getpid'), threads: 4, times: 50 });
      target.send({ op: 'storm', nr: numberOf('getpid'), threads: 4, times: 100_000 });
      setTimeout(() => { target.child.kill('SIGKILL'); }, 40 + 30 * i);
      return target.exited;
    });
    expect(await Promise.all(ends)).toEqual([{ done: 200 }, 'SIGKILL', { done: 200 }, 'SIGKILL', { done: 200 }, 'SIGKILL']);
    await until(() => storm.every(({ supervisor }) => {
      const { deferred, held } = supervisor.diagnostics();
      return deferred.length + held.length === 0;
    }));
    for (const { supervisor } of storm) expect(supervisor.stats()).toMatchObject({ exceptions: 0, sendFailures: 0, injectionFailures: 0 });
    for (const target of targets.splice(0)) await target.end();
    await until(() => openFds() <= before);
  }, 30_000);

  it('answers 2,000 calls and keeps no descriptor', async () => {
    const target = await running([['getpid', () => action.bytes('x')], ['getppid', () => action.returnValue(7)]]);
    const before = openFds();
    for (let i = 0; i < 1000; i++) {
      expect((await target.call('getppid')).result).toBe(7);
      const { result: fd } = await target.call('getpid');
      await target.call('close', fd);
    }
    expect(openFds()).toBe(before);
    expect(target.supervisor.stats().notifications).toBe(2000);
  });
});

function numberOf(name: string): number {
  return new DispatchTable().on(name, () => action.continue()).registrations()[0]!.nr;
}

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

function openFds(): number {
  return readdirSync('/proc/self/fd').length;
}
