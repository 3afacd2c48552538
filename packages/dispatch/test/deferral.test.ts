import { closeSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { action, type HandlerContext, type NotifAction } from '../src/index.js';
import { closeAll, deferred, supervised, turn, until } from './supervised.js';

afterEach(closeAll);

function counted() {
  const fd = openSync('/dev/null', 'r');
  let closes = 0;
  return { fd, close() { closes++; if (closes === 1) closeSync(fd); }, get closes() { return closes; } };
}

describe('a promise', () => {
  it('is answered when it settles, while the loop goes on', async () => {
    const answer = deferred<NotifAction>();
    const { listener, supervisor } = supervised([['openat', () => answer.promise], ['uname', () => action.returnValue(1)]]);
    const open = listener.notify('openat');
    expect((await listener.notify('uname').answered).value).toBe(1n);
    expect(open.waits).toBe(true);
    expect(supervisor.diagnostics().deferred).toEqual([{ id: open.id, pid: 1000, syscall: 'openat' }]);
    answer.resolve(action.errno('EACCES'));
    expect(await open.answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    expect(supervisor.diagnostics().deferred).toEqual([]);
  });

  it('of continue goes on with the next handler', async () => {
    const { listener } = supervised([
      ['openat', () => Promise.resolve(action.continue())],
      ['openat', async () => { await turn(); return action.continue(); }],
      ['openat', () => action.errno('EPERM')],
    ]);
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EPERM' });
  });

  it('of continue of a terminal handler ends the chain', async () => {
    const { listener } = supervised([
      ['openat', { handle: () => Promise.resolve(action.continue()), terminal: true }],
      ['openat', () => action.errno('EPERM')],
    ]);
    expect(await listener.notify('openat').answered).toEqual({ kind: 'continue' });
  });

  it('keeps the context alive until it settles, and not after', async () => {
    let kept: HandlerContext | undefined;
    const { listener } = supervised([['openat', async (context) => {
      kept = context;
      await turn();
      const path = context.readPath();
      return path.ok && path.text === '/x' && context.isValid() ? action.returnValue(5) : action.errno('EIO');
    }]]);
    listener.mapString(1000, 0x5000n, '/x');
    expect((await listener.notify('openat', { args: [0, 0x5000] }).answered).value).toBe(5n);
    expect(kept!.isValid()).toBe(false);
    expect(kept!.readPath()).toMatchObject({ ok: false, reason: 'ended' });
  });

  it.each(['execve', 'execveat', 'fork', 'vfork', 'clone', 'clone3'])('is refused for %s with EPERM, and its descriptor closed', async (name) => {
    const source = counted();
    let signal: AbortSignal | undefined;
    const { listener, reports } = supervised([[name, async (context) => {
      signal = context.signal;
      await turn();
      return action.injectFdSend({ srcFd: source });
    }]]);
    expect(await listener.notify(name).answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    expect(signal!.aborted).toBe(true);
    await until(() => source.closes === 1);
    expect(reports).toMatchObject([{ type: 'deferral', reason: 'inlineOnly', syscall: name }]);
  });

  it('has the time that its action gives it, and the supervisor\'s where none is given', async () => {
    const { listener } = supervised([
      ['openat', () => action.defer(() => new Promise(() => undefined), { limitMs: 5 })],
      ['uname', () => action.defer(async () => { await new Promise((resolve) => { setTimeout(resolve, 60); }); return action.returnValue(4); }, { limitMs: Infinity })],
    ], { limits: { deferLimitMs: 20 } });
    const slow = listener.notify('uname');
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EIO' });
    expect((await slow.answered).value).toBe(4n);
    expect(() => action.defer(() => action.continue(), { limitMs: 0 })).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_ACTION_TIME' }));
  });

  it('is not needed for execve: an inline answer is taken', async () => {
    const { listener } = supervised([['execve', () => action.errno('ENOENT')]]);
    expect((await listener.notify('execve').answered).errno).toBe('ENOENT');
  });

  it('beyond the limit gets EAGAIN, and again a place once one is free', async () => {
    const answers = [deferred<NotifAction>(), deferred<NotifAction>(), deferred<NotifAction>(), deferred<NotifAction>()];
    let next = 0;
    const { listener, supervisor } = supervised([['openat', () => answers[next++]!.promise]], { limits: { maxDeferred: 2 } });
    const [first, second, third] = [listener.notify('openat'), listener.notify('openat'), listener.notify('openat')];
    expect(await third.answered).toEqual({ kind: 'errno', errno: 'EAGAIN' });
    expect(first.waits && second.waits).toBe(true);
    answers[0]!.resolve(action.returnValue(1));
    await first.answered;
    const fourth = listener.notify('openat');
    await turn();
    await turn();
    answers[3]!.resolve(action.returnValue(4));
    expect((await fourth.answered).value).toBe(4n);
    expect(supervisor.stats().deferralsRefused).toBe(1);
  });

  it('that comes after its EAGAIN closes what it brings', async () => {
    const source = counted();
    const late = deferred<NotifAction>();
    const never = new Promise<NotifAction>(() => undefined);
    let next = 0;
    const { listener } = supervised([['openat', () => [never, late.promise][next++]!]], { limits: { maxDeferred: 1 } });
    listener.notify('openat');
    expect((await listener.notify('openat').answered).errno).toBe('EAGAIN');
    late.resolve(action.injectFdSend({ srcFd: source }));
    await until(() => source.closes === 1);
  });

  it('that takes too long is answered EIO, its signal fires, and what it brings later is closed', async () => {
    const source = counted();
    const late = deferred<NotifAction>();
    let signal: AbortSignal | undefined;
    const { listener, reports, supervisor } = supervised(
      [['openat', (context) => { signal = context.signal; return late.promise; }]], { limits: { deferLimitMs: 20 } });
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EIO' });
    expect(signal!.aborted).toBe(true);
    late.resolve(action.injectFdSend({ srcFd: source }));
    await until(() => source.closes === 1);
    expect(reports).toMatchObject([{ type: 'deferral', reason: 'timeout' }]);
    expect(supervisor.stats().deferralsTimedOut).toBe(1);
  });

  it('has one time limit for the whole chain', async () => {
    const slow = async () => { await new Promise((resolve) => { setTimeout(resolve, 40); }); return action.continue(); };
    const { listener } = supervised([['openat', slow], ['openat', slow], ['openat', slow]], { limits: { deferLimitMs: 90 } });
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EIO' });
  });

  it('is cancelled when its target is gone', async () => {
    const source = counted();
    const late = deferred<NotifAction>();
    let signal: AbortSignal | undefined;
    const { listener, supervisor } = supervised(
      [['openat', (context) => { signal = context.signal; return late.promise; }]], { limits: { sweepMs: 5 } });
    const call = listener.notify('openat');
    await until(() => signal !== undefined);
    expect(signal!.aborted).toBe(false);
    listener.withdraw(call);
    await until(() => signal!.aborted);
    expect(supervisor.stats()).toMatchObject({ deferralsCancelled: 1, stale: 1 });
    late.resolve(action.injectFdSend({ srcFd: source }));
    await until(() => source.closes === 1);
  });

  it('may bring a kill, a hold or any other answer, but no further deferral', async () => {
    const { listener, reports } = supervised([
      ['getpid', () => Promise.resolve(action.kill({ signal: 9, target: 'group' }))],
      ['uname', () => Promise.resolve(action.defer(() => action.continue()))],
      ['openat', () => Promise.resolve(action.bytes('x'))],
    ]);
    expect((await listener.notify('getpid').answered).errno).toBe('ENOMEM');
    expect((await listener.notify('uname').answered).errno).toBe('EIO');
    expect((await listener.notify('openat').answered).kind).toBe('fd');
    expect(listener.signals).toEqual(['group 1000 9']);
    await turn();
    expect(reports).toMatchObject([{ type: 'deferral', reason: 'nested' }]);
  });

  it('may be any thenable, and one with a hostile then ends in the policy', async () => {
    const hostile = { get then(): never { throw new Error('no'); } };
    const { listener } = supervised([
      ['uname', () => ({ then: (resolve: (value: NotifAction) => void) => resolve(action.returnValue(3)) }) as PromiseLike<NotifAction>],
      ['getpid', (() => hostile) as never, { onException: 'denyEio' }],
    ]);
    expect((await listener.notify('uname').answered).value).toBe(3n);
    expect((await listener.notify('getpid').answered).errno).toBe('EIO');
  });
});

describe('action.defer', () => {
  it('gives the work its context and signal', async () => {
    const { listener } = supervised([['openat', () => action.defer(async (context, signal) => {
      await turn();
      return context.isValid() && !signal.aborted ? action.returnValue(9) : action.errno('EIO');
    })]]);
    expect((await listener.notify('openat').answered).value).toBe(9n);
  });

  it('refused for exec never starts its work', async () => {
    let started = false;
    const { listener } = supervised([['execve', () => action.defer(() => { started = true; return action.continue(); })]]);
    expect((await listener.notify('execve').answered).errno).toBe('EPERM');
    expect(started).toBe(false);
  });

  it('gives its own refusal where there is no place, no time and no supervisor any more', async () => {
    const never = () => action.defer(() => new Promise<NotifAction>(() => undefined), { otherwise: action.returnValue(0) });
    const { listener, supervisor } = supervised([['brk', never], ['mmap', never]], { limits: { maxDeferred: 1, deferLimitMs: 50 } });
    const first = listener.notify('brk');
    expect(await listener.notify('brk').answered).toEqual({ kind: 'returnValue', value: 0n }); // at once: the first one waits
    expect(first.waits).toBe(true);
    expect(await first.answered).toEqual({ kind: 'returnValue', value: 0n });
    const last = listener.notify('brk');
    await until(() => supervisor.diagnostics().deferred.length === 1);
    await supervisor.close();
    expect(await last.answered).toEqual({ kind: 'returnValue', value: 0n });
    expect(supervisor.stats()).toMatchObject({ deferralsRefused: 1, deferralsTimedOut: 1 });
  });

  it('takes an errno or a value for its refusal, and nothing that would take another answer', () => {
    const work = () => action.continue();
    expect(action.defer(work, { otherwise: action.errno('ENOMEM') }).otherwise).toEqual(action.errno('ENOMEM'));
    for (const wrong of [action.continue(), action.bytes('x'), 12]) {
      expect(() => action.defer(work, { otherwise: wrong as never })).toThrow(/otherwise is/);
    }
  });

  it('waits for a slot when queueing is asked for', async () => {
    const answers = [deferred<NotifAction>(), deferred<NotifAction>(), deferred<NotifAction>()];
    const started: number[] = [];
    const { listener } = supervised([['openat', ({ args }) => action.defer(() => {
      started.push(Number(args[0]));
      return answers[Number(args[0])]!.promise;
    })]], { limits: { maxDeferred: 1, whenFull: 'queue', maxQueued: 2 } });
    const calls = [0, 1, 2, 3].map((i) => listener.notify('openat', { args: [i] }));
    expect((await calls[3]!.answered).errno).toBe('EAGAIN');
    expect(started).toEqual([0]);
    for (const i of [0, 1, 2]) {
      answers[i]!.resolve(action.returnValue(i));
      expect((await calls[i]!.answered).value).toBe(BigInt(i));
    }
    expect(started).toEqual([0, 1, 2]);
  });

  it('whose work throws ends in the policy', async () => {
    const { listener } = supervised([['openat', () => action.defer(() => { throw new Error('work'); }), { onException: 'denyEio' }]]);
    expect((await listener.notify('openat').answered).errno).toBe('EIO');
  });
});

describe('a handler declared deferred', () => {
  it('is not called for exec, nor without a free slot', async () => {
    let calls = 0;
    const handler = { deferred: true, handle: () => { calls++; return new Promise<NotifAction>(() => undefined); } };
    const { listener } = supervised([['execve', handler], ['openat', handler]], { limits: { maxDeferred: 1 } });
    expect((await listener.notify('execve').answered).errno).toBe('EPERM');
    expect(calls).toBe(0);
    listener.notify('openat');
    expect((await listener.notify('openat').answered).errno).toBe('EAGAIN');
    expect(calls).toBe(1);
  });

  it('may answer at once', async () => {
    const { listener } = supervised([['openat', { deferred: true, handle: () => action.returnValue(2) }]]);
    expect((await listener.notify('openat').answered).value).toBe(2n);
  });
});
