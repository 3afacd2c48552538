import { closeSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { action, DispatchTable, Supervisor, type NotifAction, type SupervisorError } from '../src/index.js';
import { FakeListener } from '../src/testing.js';
import { closeAll, deferred, supervised, turn, until } from './supervised.js';

afterEach(closeAll);

describe('receiving', () => {
  it('goes on after EINTR and after a notification that was withdrawn', async () => {
    const { listener } = supervised([['uname', () => action.returnValue(1)]]);
    listener.fail('receive', 'EINTR', 'ENOENT', 'EINTR');
    expect((await listener.notify('uname').answered).value).toBe(1n);
  });

  it('ends on hang-up, and says so once', async () => {
    let ends = 0;
    let fatal = false;
    const { listener, supervisor } = supervised([['uname', () => action.returnValue(1)]], {
      onEnd: () => { ends++; }, onFatal: () => { fatal = true; },
    });
    const call = listener.notify('uname');
    listener.hangUp();
    expect((await call.answered).value).toBe(1n);
    await until(() => ends > 0);
    expect({ ends, fatal, closed: listener.closed, state: supervisor.diagnostics().state })
      .toEqual({ ends: 1, fatal: false, closed: true, state: 'ended' });
  });

  it('that fails closes the listener, so that trapped calls fail, and is reported as fatal', async () => {
    const errors: SupervisorError[] = [];
    const { listener, supervisor } = supervised([['uname', () => action.returnValue(1)]], { onFatal: (error) => errors.push(error) });
    listener.fail('receive', 'EBADF');
    const call = listener.notify('uname');
    expect(await call.answered).toEqual({ kind: 'closed', errno: 'ENOSYS' });
    expect(errors).toMatchObject([{ code: 'ERR_SANDLOCK_SUPERVISOR_LISTENER' }]);
    expect(supervisor.diagnostics().state).toBe('failed');
    await supervisor.close();
    expect(errors).toHaveLength(1);
  });

  it('whose notification breaks the loop is fatal too, not an uncaught exception', async () => {
    const errors: SupervisorError[] = [];
    const { listener } = supervised([['uname', () => action.returnValue(1)]], { onFatal: (error) => errors.push(error) });
    listener.send = () => { throw new Error('broken'); };
    expect(await listener.notify('getpid').answered).toEqual({ kind: 'closed', errno: 'ENOSYS' }); // which no chain contains
    expect(errors).toMatchObject([{ code: 'ERR_SANDLOCK_SUPERVISOR_LISTENER', cause: { message: 'broken' } }]);
  });
});

describe('a failure inside', () => {
  it('denies the one call and leaves the others alone', async () => {
    const { listener, reports } = supervised([
      ['openat', () => action.bytes('x')], ['uname', () => action.returnValue(1)],
    ]);
    listener.makeFile = () => { throw new Error('inside'); };
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    expect((await listener.notify('uname').answered).value).toBe(1n);
    await turn();
    expect(reports).toMatchObject([{ type: 'exception', owner: 'supervisor', error: { message: 'inside' } }]);
  });
});

describe('a failure inside, off the loop,', () => {
  it('denies the one call too', async () => {
    const { listener, reports } = supervised([['openat', async () => { await turn(); return action.bytes('x'); }]]);
    listener.makeFile = () => { throw new Error('inside'); };
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    await turn();
    expect(reports).toMatchObject([{ type: 'exception', owner: 'supervisor' }]);
  });
});

describe('a failure in the answer of a promise', () => {
  it('is no unhandled rejection; the call is denied', async () => {
    const { listener, reports } = supervised([['openat', () => Promise.resolve(action.defer(() => action.continue()))]]);
    const send = listener.send.bind(listener);
    let sends = 0;
    listener.send = (...args) => {
      if (++sends === 1) throw new Error('send');
      return send(...args);
    };
    expect((await listener.notify('openat').answered).errno).toBe('EPERM');
    await turn();
    expect(reports.at(-1)).toMatchObject({ type: 'exception', owner: 'supervisor', error: { message: 'send' } });
  });
});

describe('close', () => {
  it('answers what is deferred with EIO and what is held with EPERM, and closes what comes late', async () => {
    const late = deferred<NotifAction>();
    let signal: AbortSignal | undefined;
    const { listener, supervisor } = supervised([
      ['openat', (context) => { signal = context.signal; return late.promise; }], ['uname', () => action.hold()],
    ]);
    const [open, uname] = [listener.notify('openat'), listener.notify('uname')];
    await until(() => supervisor.diagnostics().held.length === 1);
    await supervisor.close();
    expect([await open.answered, await uname.answered]).toEqual([{ kind: 'errno', errno: 'EIO' }, { kind: 'errno', errno: 'EPERM' }]);
    expect({ aborted: signal!.aborted, closed: listener.closed }).toEqual({ aborted: true, closed: true });
    const fd = openSync('/dev/null', 'r');
    let closes = 0;
    late.resolve(action.injectFdSend({ srcFd: { fd, close: () => { closes++; closeSync(fd); } } }));
    await until(() => closes === 1);
  });

  it('leaves what was not received to the kernel: ENOSYS', async () => {
    const { listener, supervisor } = supervised([['uname', () => action.returnValue(1)]]);
    const call = listener.notify('uname');
    await supervisor.close();
    expect(await call.answered).toEqual({ kind: 'closed', errno: 'ENOSYS' });
  });

  it('may be called by a handler', async () => {
    let closing: Promise<void> | undefined;
    const { listener, supervisor } = supervised([['uname', () => {
      closing = supervisor.close();
      return action.returnValue(1);
    }]]);
    await listener.notify('uname').answered;
    await closing;
    expect(supervisor.diagnostics().state).toBe('closed');
  });

  it('of one that never started closes the listener and disposes of the handlers', async () => {
    let disposed = 0;
    const listener = new FakeListener('x86_64');
    const table = new DispatchTable({ arch: 'x86_64' }).on('uname', { handle: () => action.continue(), dispose: () => { disposed++; } });
    const supervisor = new Supervisor({ listener, table });
    await supervisor.close();
    expect({ disposed, closed: listener.closed }).toEqual({ disposed: 1, closed: true });
    expect(() => supervisor.start()).toThrowError(expect.objectContaining({ code: 'ERR_SANDLOCK_SUPERVISOR_STATE' }) as Error);
  });

  it('passes on what disposing failed with, after everything was done', async () => {
    const { listener, supervisor } = supervised([['uname', {
      handle: () => action.continue(), dispose: () => { throw new Error('dispose'); },
    }]]);
    await expect(supervisor.close()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_HANDLER_DISPOSE' });
    expect(listener.closed).toBe(true);
  });
});

describe('reports', () => {
  it('are bounded: what does not fit is counted, and the count delivered', async () => {
    const { promise, reject } = deferred<NotifAction>();
    const { listener, reports, supervisor } = supervised([['uname', () => promise, { onException: 'denyEio' }]], { limits: { maxReports: 3 } });
    const calls = Array.from({ length: 10 }, () => listener.notify('uname'));
    await until(() => supervisor.diagnostics().deferred.length === 10);
    reject(new Error('x')); // all of them fail in one turn
    await Promise.all(calls.map(({ answered }) => answered));
    await turn();
    expect(reports.map(({ type }) => type)).toEqual(['exception', 'exception', 'exception', 'dropped']);
    expect(reports.at(-1)).toEqual({ type: 'dropped', count: 7 });
    expect(supervisor.stats()).toMatchObject({ exceptions: 10, reportsDropped: 7 });
  });

  it('do no harm when whoever takes them throws', async () => {
    const { listener } = supervised([['uname', () => { throw new Error('x'); }, { onException: 'denyEio' }]],
      { onReport: () => { throw new Error('report'); } });
    expect((await listener.notify('uname').answered).errno).toBe('EIO');
    await turn();
    expect((await listener.notify('uname').answered).errno).toBe('EIO');
  });

  it('tell of a thread that was blocked', async () => {
    const { reports } = supervised([['uname', () => action.continue()]], { limits: { inlineLimitMs: 50 } });
    await turn();
    const end = performance.now() + 700;
    while (performance.now() < end);
    await until(() => reports.length > 0);
    expect(reports).toMatchObject([{ type: 'blocked' }]);
  });
});

describe('a callback that rejects', () => {
  it('is no unhandled rejection, and is reported', async () => {
    const reports: string[] = [];
    const { listener } = supervised([
      ['uname', (context) => {
        context.onOutcome(() => Promise.reject(new Error('outcome')));
        throw new Error('handler');
      }],
    ], {
      killTree: () => Promise.reject(new Error('kill')),
      onReport: (report) => {
        reports.push(report.type === 'callback' ? report.callback : report.type);
        return Promise.reject(new Error('report'));
      },
    });
    expect((await listener.notify('uname').answered).errno).toBe('EPERM');
    await until(() => reports.length === 3);
    expect(reports.sort()).toEqual(['exception', 'killTree', 'onOutcome']);
  });
});

describe('limits', () => {
  it.each([{ maxDeferred: 0 }, { deferLimitMs: -1 }, { holdLimitMs: NaN }, { whenFull: 'wait' }, { maxDefered: 5 }])(
    'refuse %o', (limits) => {
      const listener = new FakeListener('x86_64');
      expect(() => new Supervisor({ listener, table: new DispatchTable({ arch: 'x86_64' }), limits: limits as never })).toThrow(RangeError);
    });
});
