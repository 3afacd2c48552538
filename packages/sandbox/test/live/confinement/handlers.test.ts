/** Handlers in a run: every action, what happens when one fails, and who is asked first. */
import { closeSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

import { action, on, Sandbox, SandlockError, type Handler, type HandlerBinding, type RunOptions, type SandboxOptions, type SupervisorReport } from '../../../src/index.js';
import { answers, call, compiled, confined, describeConfined, granting, said, scratch, script, step, type Answer, type Step } from './calls.js';

const CWD = -100;

/** The answers to these steps with handlers, and what the supervisor reported. */
async function handled(
  handlers: readonly HandlerBinding[], steps: readonly Step[], options: RunOptions = {}, fsReadable: readonly string[] = [],
): Promise<[Answer[], SupervisorReport[]]> {
  const reports: SupervisorReport[] = [];
  const child = await new Sandbox(granting({ fsReadable })).popen([compiled('calls')], { ...options, handlers, timeout: 20_000 });
  child.on('report', (report) => reports.push(report));
  let text = '';
  child.stdout!.on('data', (data) => { text += String(data); });
  child.stdin!.end(script(steps));
  const result = await child.wait();
  if (!result.ok) throw new Error(`The target ended by ${result.signal ?? result.exitCode}, ${result.reason}.`);
  return [answers(text, steps), reports];
}

const getppid = call('getppid');
const readAll = (from: number): Step => call('read', { step: from }, Buffer.alloc(64), 64);
const text = ({ result, memory }: Answer): string => String(memory[0]!.subarray(0, result));

describeConfined('actions', () => {
  it('continue lets the kernel run the call, errno and returnValue answer it', async () => {
    const [[first], reports] = await handled([on('getppid', () => action.continue())], [getppid]);
    expect(first!.result).toBeGreaterThan(1);
    expect(reports).toEqual([]);
    expect(said((await handled([on('getppid', () => action.errno('ENOLINK'))], [getppid]))[0])).toEqual(['ENOLINK']);
    expect(said((await handled([on('getppid', () => action.errno(133))], [getppid]))[0])).toEqual(['EHWPOISON']);
    expect((await handled([on('getppid', () => action.returnValue(123_456_789))], [getppid]))[0][0]!.result).toBe(123_456_789);
  });

  it('injectBytes yields a sealed file of its own to every open', async () => {
    const open = on('openat', (context) => {
      const path = context.readPath();
      return path.ok && String(path.bytes) === '/virtual' ? action.injectBytes('from the handler') : action.continue();
    });
    const [all] = await handled([open], [
      call('openat', CWD, '/virtual', 0), readAll(0), readAll(0), call('openat', CWD, '/virtual', 0), readAll(3),
      call('write', { step: 0 }, 'x', 1), call('openat', CWD, '/etc/passwd', 0), call('fcntl', { step: 0 }, 1 /* F_GETFD */),
    ]);
    expect([text(all[1]!), text(all[2]!), text(all[4]!)]).toEqual(['from the handler', '', 'from the handler']);
    expect(said(all)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'EPERM', 'EACCES', 'ok']);
    expect(all[7]!.result).toBe(1); // close-on-exec
  });

  it('injectFdSend yields a descriptor and closes ours; the tracked one says its number', async () => {
    const file = join(scratch(), 'file');
    writeFileSync(file, 'opened outside');
    const ours: number[] = [];
    const numbers: number[] = [];
    const open = (): number => {
      ours.push(openSync(file, 'r'));
      return ours.at(-1)!;
    };
    const [all] = await handled([
      on('getppid', () => action.injectFdSend({ srcFd: open() })),
      on('getpgid', () => action.injectFdSendTracked({ srcFd: open(), newFdFlags: 0, onInjected: (fd) => numbers.push(fd) })),
    ], [getppid, readAll(0), call('getpgid', 0), readAll(2), call('fcntl', { step: 2 }, 1)]);
    expect([text(all[1]!), text(all[3]!)]).toEqual(['opened outside', 'opened outside']);
    expect(numbers).toEqual([all[2]!.result]);
    expect(all[4]!.result).toBe(0);
    for (const fd of ours) expect(() => fstatSync(fd)).toThrow('EBADF');
  });

  it('injectFd puts a descriptor at a number and lets the call run', async () => {
    const file = join(scratch(), 'file');
    writeFileSync(file, 'at number 9');
    const srcFd = openSync(file, 'r');
    const [all] = await handled([on('getppid', () => action.injectFd({ srcFd, targetFd: 9 }))], [getppid, call('read', 9, Buffer.alloc(64), 64)]);
    expect(all[0]!.result).toBeGreaterThan(1);
    expect(text(all[1]!)).toBe('at number 9');
    closeSync(srcFd);
  });

  it('kill ends the caller, or sends it another signal', async () => {
    const run = (signal: number) => new Sandbox(granting()).run([compiled('calls')], {
      input: script([getppid]), handlers: [on('getppid', () => action.kill({ signal, target: 'task' }))], timeout: 10_000,
    });
    expect(await run(9)).toMatchObject({ reason: 'killed', signal: 'SIGKILL' });
    expect(await run(15)).toMatchObject({ reason: 'signaled', signal: 'SIGTERM' });
    // Signal 18 continues what is not stopped; the call is answered then.
    expect(said((await handled([on('getppid', () => action.kill({ signal: 18, target: 'task' }))], [getppid]))[0])).toEqual(['ENOMEM']);
  });

  it('hold parks the call until it is released, or its time is over', async () => {
    let id: bigint | undefined;
    const child = await new Sandbox(granting()).popen([compiled('calls')], {
      handlers: [on('getppid', (context) => { id = context.id; return action.hold(); })], timeout: 10_000,
    });
    let output = '';
    child.stdout!.on('data', (data) => { output += String(data); });
    child.stdin!.end(script([getppid]));
    while (id === undefined) await sleep(5);
    await sleep(50);
    expect(output).toBe('');
    expect(child.release(id, action.returnValue(77))).toBe(true);
    expect((await child.wait()).ok).toBe(true);
    expect(output).toBe('77 0\n');
    expect(said((await handled([on('getppid', () => action.hold({ limitMs: 50 }))], [getppid]))[0])).toEqual(['EPERM']);
  });

  it('defer and promises answer later, and others are answered meanwhile', async () => {
    const handlers = [
      on('getppid', async () => { await sleep(30); return action.returnValue(1234); }),
      on('getpgid', () => action.defer(async () => { await sleep(10); return action.errno('ENOLINK'); })),
    ];
    const [all, reports] = await handled(handlers, [getppid, call('getpgid', 0)]);
    expect([all[0]!.result, all[1]!.error]).toEqual([1234, 'ENOLINK']);
    expect(reports).toEqual([]);
  });
});

describeConfined('a handler that fails', () => {
  const failing: Record<string, Handler> = {
    throws: () => { throw new Error('of the handler'); },
    rejects: () => Promise.reject(new Error('of the handler')),
    'returns nonsense': (() => ({ kind: 'continue' })) as never,
    'resolves to nonsense': (() => Promise.resolve('continue')) as never,
    'returns nothing': (() => undefined) as never,
    'makes an action that cannot be': () => action.errno(0),
  };

  it.each(Object.keys(failing))('by default ends the program before its call returns, and the run with it: one that %s', async (how) => {
    // The guard is told, too, but the program must not win the race to its own end.
    for (let i = 0; i < 25; i++) {
      const result = await new Sandbox(granting()).run([compiled('calls')], {
        input: script([getppid]), handlers: [on('getppid', failing[how]!)], timeout: 10_000,
      });
      expect(result).toMatchObject({ ok: false, reason: 'killed', signal: 'SIGKILL' });
      expect(String(result.stdout)).toBe('');
    }
  });

  it.each(Object.keys(failing))('answers as its exception policy says: one that %s', async (how) => {
    for (const [onException, verdict] of [['denyEperm', 'EPERM'], ['denyEio', 'EIO'], ['continue', 'ok']] as const) {
      const [all, reports] = await handled([on('getppid', failing[how]!, { onException })], [getppid, getppid]);
      expect(said(all)).toEqual([verdict, verdict]);
      expect(reports.length).toBeGreaterThan(0);
    }
  });

  it('never answers: the run ends by its timeout', async () => {
    const result = await new Sandbox(granting()).run([compiled('calls')], {
      input: script([getppid]), handlers: [on('getppid', () => new Promise<never>(() => undefined))], timeout: 300,
    });
    expect(result).toMatchObject({ reason: 'timeout', ok: false });
  });

  it('leaves the next run as it should be', async () => {
    const sandbox = new Sandbox({ ...granting(), handlers: [on('getppid', failing.throws!)] });
    for (let i = 0; i < 3; i++) {
      expect((await sandbox.run([compiled('calls')], { input: script([call('getuid')]) })).ok).toBe(true);
      expect((await sandbox.run([compiled('calls')], { input: script([getppid]) })).ok).toBe(false);
    }
  });
});

describeConfined('handlers of one call', () => {
  it('are asked in their order, the sandbox\'s before the run\'s, and the first that decides is the last', async () => {
    const asked: string[] = [];
    const handler = (name: string, decide = false): HandlerBinding => on('getppid', () => {
      asked.push(name);
      return decide ? action.returnValue(5) : action.continue();
    });
    const sandbox = new Sandbox({ ...granting(), handlers: [handler('a'), handler('b')] });
    const result = await sandbox.run([compiled('calls')], { input: script([getppid]), handlers: [handler('c', true), handler('d')] });
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(String(result.stdout)).toBe('5 0\n');
  });

  it('come after the sandbox\'s own', async () => {
    const paths: string[] = [];
    const open = on('openat', (context) => {
      const path = context.readPath();
      if (path.ok) paths.push(String(path.bytes));
      return action.errno('ENOLINK');
    });
    const [all] = await handled([open], [call('openat', CWD, '/etc/hostname', 0), call('openat', CWD, '/etc/passwd', 0)], {}, ['/etc/hostname']);
    expect(said(all)).toEqual(['ok', 'ENOLINK']);
    expect(paths).toEqual(['/etc/passwd']);
  });

  it('may decide what uname says, and leave it to the sandbox', async () => {
    const uname = call('uname', Buffer.alloc(390));
    expect(said((await handled([on('uname', () => action.errno('ENOSYS'))], [uname]))[0])).toEqual(['ENOSYS']);
    const [[answer]] = await handled([on('uname', () => action.continue())], [uname], { name: 'left-to-it' });
    expect(String(answer!.memory[0])).toContain('left-to-it\0');
  });

  it('are disposed of once, however the run ends', async () => {
    let disposed = 0;
    const handler = () => on('getppid', { handle: () => action.continue(), dispose: () => { disposed++; } });
    const sandbox = new Sandbox(granting());
    await sandbox.run([compiled('calls')], { input: '', handlers: [handler()] });
    expect(disposed).toBe(1);
    await expect(sandbox.run(['/nowhere'], { handlers: [handler()] })).rejects.toThrow(SandlockError);
    expect(disposed).toBe(2);
  });

  it('with a condition are asked for no other call', async () => {
    const { arg32 } = await import('@sandlock/bpf');
    const pids: bigint[] = [];
    const binding = on('getpgid', ({ args }) => { pids.push(args[0]!); return action.returnValue(42); }, { when: arg32(0).eq(7) });
    const [all] = await handled([binding], [call('getpgid', 0), call('getpgid', 7), call('getpgid', (1n << 32n) | 7n)]);
    expect(all.map(({ result }) => result === 42)).toEqual([false, true, true]);
    expect(pids).toHaveLength(2);
  });
});

describeConfined('what cannot be handled', () => {
  it('is a call that is denied: the handler\'s "continue" would lift the denial', async () => {
    for (const name of ['bpf', 'ptrace', 'mount', 'unshare', 'clone3', 'io_uring_setup']) {
      const start = new Sandbox(granting()).run([compiled('calls')], { input: '', handlers: [on(name, () => action.continue())] });
      await expect(start).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SANDLOCK_(HANDLER_BLOCKLISTED|CONFIG)$/) as string, message: expect.stringContaining(name) as string });
    }
    await expect(new Sandbox(granting({ extraDenySyscalls: ['getppid'] })).run([compiled('calls')], { input: '', handlers: [on('getppid', () => action.continue())] }))
      .rejects.toMatchObject({ message: expect.stringContaining('getppid') as string });
  });

  it('is a call that has no use without a grant; one that is optional is left out then', async () => {
    const run = (options: SandboxOptions, optional: boolean) => new Sandbox({ ...granting(), fsWritable: [], ...options })
      .run([compiled('calls')], { input: '', handlers: ['connect', 'chmod', 'uname'].map((name) => on(name, () => action.continue(), { optional })) });
    await expect(run({}, false)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_HANDLER_BLOCKLISTED', message: expect.stringContaining('connect') as string });
    expect(await run({}, true)).toMatchObject({ ok: true });
    expect(await run({ fsWritable: ['/dev/null'] }, false)).toMatchObject({ ok: true });
  });

  it('is a call that the sandbox itself answers, once that is denied too', async () => {
    const steps = [call('uname', Buffer.alloc(390)), call('openat', CWD, '/etc/hostname', 0), step('sleeper'), getppid];
    expect(said(await confined(steps, { fsReadable: ['/etc'], extraDenySyscalls: ['uname', 'openat', 'clone'] }))).toEqual(['EPERM', 'EPERM', 'EPERM', 'ok']);
    expect(said(await confined(steps, { fsReadable: ['/etc'], extraDenySyscalls: ['uname'] }))).toEqual(['EPERM', 'ok', 'ok', 'ok']);
  });

  it('is any call where there is no supervisor', async () => {
    expect(() => new Sandbox(granting({ noSupervisor: true, handlers: [on('getppid', () => action.continue())] })))
      .toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_CONFIG' }));
    await expect(new Sandbox(granting({ noSupervisor: true })).run([compiled('calls')], { input: '', handlers: [on('getppid', () => action.continue())] }))
      .rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG' });
  });

  it('is a call that nobody knows, or that is denied in the form it is made in', async () => {
    await expect(confined([getppid], {}, { handlers: [on('no_such_call', () => action.continue())] })).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: 'handlers[0]' }] });
    let asked = 0;
    const [all] = await handled([on('prctl', () => { asked++; return action.continue(); })], [call('prctl', 4, 0), call('prctl', 3)]);
    expect(said(all)).toEqual(['EPERM', 'ok']);
    expect(asked).toBe(1);
  });
});
