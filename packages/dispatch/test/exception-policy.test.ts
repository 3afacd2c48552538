import { closeSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { action, type ExceptionPolicy, type Handler } from '../src/index.js';
import { closeAll, supervised, turn, until } from './supervised.js';

afterEach(closeAll);

const thrower: Handler = () => { throw new Error('handler failed'); };
const rejecter: Handler = () => Promise.reject(new Error('handler failed'));
const silent = (() => undefined) as unknown as Handler;
const lookalike = (() => Object.freeze({ kind: 'continue' })) as unknown as Handler;
const resolvesNonsense = (() => Promise.resolve(42)) as unknown as Handler;

describe.each([
  ['throws', thrower], ['rejects', rejecter], ['returns nothing', silent], ['returns a look-alike', lookalike],
  ['resolves to no action', resolvesNonsense],
])('a handler that %s', (_, handler) => {
  it.each([
    ['denyEperm', { kind: 'errno', errno: 'EPERM' }],
    ['denyEio', { kind: 'errno', errno: 'EIO' }],
    ['continue', { kind: 'continue' }],
  ] as const)('ends in its policy %s, and the loop goes on', async (onException, response) => {
    const { listener, reports, supervisor } = supervised([
      ['uname', handler, { onException }],
      ['getpid', () => action.returnValue(7)],
    ]);
    expect(await listener.notify('uname').answered).toEqual(response);
    expect(await listener.notify('getpid').answered).toEqual({ kind: 'returnValue', value: 7n });
    await turn();
    expect(reports).toMatchObject([{ type: 'exception', owner: 'user', policy: onException, syscall: 'uname' }]);
    expect(supervisor.stats().exceptions).toBe(1);
    expect(listener.signals).toEqual([]);
  });

  it('has the tree killed by default', async () => {
    const killed: unknown[] = [];
    const { listener } = supervised([['uname', handler]], { killTree: (report) => killed.push(report) });
    expect(await listener.notify('uname').answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    expect(killed).toMatchObject([{ syscall: 'uname', pid: 1000 }]);
    expect(listener.signals).toEqual([]);
  });
});

describe('policy continue', () => {
  it('leaves their say to the handlers after the one that failed', async () => {
    const { listener } = supervised([
      ['uname', thrower, { onException: 'continue' }],
      ['uname', () => action.errno('EACCES')],
    ]);
    expect(await listener.notify('uname').answered).toEqual({ kind: 'errno', errno: 'EACCES' });
  });
});

describe('policy kill without a killTree', () => {
  it('kills the group of the target', async () => {
    const { listener } = supervised([['uname', thrower]]);
    expect((await listener.notify('uname').answered).errno).toBe('EPERM');
    expect(listener.signals).toEqual(['group 1000 9']);
  });

  it.each([
    ['cannot be seen (pid 0)', 0, undefined],
    ['has no known group', 1001, undefined],
    ['is in group 1', 1002, 1],
    ['is in the group of the supervisor', 1003, 500],
  ])('signals nobody when the target %s', async (_, pid, group) => {
    const { listener } = supervised([['uname', thrower]]);
    if (group !== undefined) listener.groups.set(pid, group);
    expect((await listener.notify('uname', { pid }).answered).errno).toBe('EPERM');
    expect(listener.signals).toEqual([]);
  });

  it('stands in when killTree throws', async () => {
    const { listener, reports } = supervised([['uname', thrower]], { killTree: () => { throw new Error('no'); } });
    expect((await listener.notify('uname').answered).errno).toBe('EPERM');
    expect(listener.signals).toEqual(['group 1000 9']);
    await turn();
    expect(reports).toMatchObject([{ type: 'exception' }, { type: 'callback', callback: 'killTree' }]);
  });
});

describe('the option of a binding', () => {
  it.each<[ExceptionPolicy | undefined, string]>([[undefined, 'EIO'], ['denyEperm', 'EPERM']])(
    'given as %s over an object with denyEio, answers %s', async (onException, errno) => {
      const object = { handle: thrower as () => never, onException: 'denyEio' as const };
      const { listener } = supervised([['uname', object, onException === undefined ? {} : { onException }]]);
      expect((await listener.notify('uname').answered).errno).toBe(errno);
    });
});

describe('an inline handler beyond the time limit', () => {
  const slow: Handler = () => {
    const end = performance.now() + 30;
    while (performance.now() < end);
    return action.continue();
  };

  it('gets its exception policy instead of its answer', async () => {
    const { listener, reports } = supervised([['uname', slow, { onException: 'denyEio' }]], { limits: { inlineLimitMs: 10 } });
    expect((await listener.notify('uname').answered).errno).toBe('EIO');
    await turn();
    expect(reports).toMatchObject([{ type: 'exception', error: { code: 'ERR_SANDLOCK_HANDLER_TIME' } }]);
  });

  it('has the descriptor of its answer closed', async () => {
    const fd = openSync('/dev/null', 'r');
    let closes = 0;
    const { listener } = supervised([['openat', (context) => {
      void slow(context);
      return action.injectFdSend({ srcFd: { fd, close: () => { closes++; closeSync(fd); } } });
    }, { onException: 'denyEio' }]], { limits: { inlineLimitMs: 10 } });
    expect((await listener.notify('openat').answered).errno).toBe('EIO');
    expect(closes).toBe(1);
  });

  it('keeps its answer, and is reported, when the thread was idle meanwhile: the process may have been stopped', async () => {
    const { listener, reports } = supervised([['uname', () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      return action.returnValue(4);
    }, { onException: 'denyEio' }]], { limits: { inlineLimitMs: 50 } });
    expect((await listener.notify('uname').answered).value).toBe(4n);
    await until(() => reports.length > 0);
    expect(reports).toMatchObject([{ type: 'slow', owner: 'user', syscall: 'uname' }]);
  });

  it('answers as it says within the limit', async () => {
    const { listener } = supervised([['uname', slow, { onException: 'denyEio' }]]);
    expect((await listener.notify('uname').answered).kind).toBe('continue');
  });
});
