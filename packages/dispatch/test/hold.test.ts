import { closeSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { action } from '../src/index.js';
import { closeAll, supervised, turn, until } from './supervised.js';

afterEach(closeAll);

describe('a held call', () => {
  it('stays parked, is listed, and gets the action it is released with', async () => {
    const { listener, supervisor } = supervised([['clone', () => action.hold({ limitMs: 5000 })], ['uname', () => action.returnValue(1)]]);
    const call = listener.notify('clone');
    await listener.notify('uname').answered;
    expect(call.waits).toBe(true);
    expect(supervisor.diagnostics().held).toMatchObject([{ id: call.id, pid: 1000, syscall: 'clone', limitMs: 5000 }]);
    expect(supervisor.release(call.id, action.errno('EAGAIN'))).toBe(true);
    expect(await call.answered).toEqual({ kind: 'errno', errno: 'EAGAIN' });
    expect(supervisor.diagnostics().held).toEqual([]);
  });

  it('released with continue goes on with the handlers after the one that held it', async () => {
    const { listener, supervisor } = supervised([
      ['openat', () => action.hold()],
      ['openat', ({ args }) => (args[0] === 1n ? action.errno('EPERM') : action.continue())],
    ]);
    const [denied, passed] = [listener.notify('openat', { args: [1] }), listener.notify('openat', { args: [2] })];
    await until(() => supervisor.diagnostics().held.length === 2);
    for (const { id } of [denied, passed]) supervisor.release(id, action.continue());
    expect(await denied.answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    expect(await passed.answered).toEqual({ kind: 'continue' });
  });

  it('may be released with a deferral or held again', async () => {
    const { listener, supervisor } = supervised([['openat', () => action.hold()]]);
    const call = listener.notify('openat');
    await until(() => supervisor.diagnostics().held.length === 1);
    expect(supervisor.release(call.id, action.hold())).toBe(true);
    expect(supervisor.release(call.id, action.defer(async () => { await turn(); return action.returnValue(8); }))).toBe(true);
    expect((await call.answered).value).toBe(8n);
  });

  it('is released once; a later action is discarded', async () => {
    const { listener, supervisor } = supervised([['openat', () => action.hold()]]);
    const call = listener.notify('openat');
    await until(() => supervisor.diagnostics().held.length === 1);
    supervisor.release(call.id, action.continue());
    const fd = openSync('/dev/null', 'r');
    let closes = 0;
    const late = action.injectFdSend({ srcFd: { fd, close: () => { closes++; closeSync(fd); } } });
    expect(supervisor.release(call.id, late)).toBe(false);
    expect(supervisor.release(12345n, action.continue())).toBe(false);
    expect(closes).toBe(1);
    expect(() => supervisor.release(call.id, 'continue' as never)).toThrow(TypeError);
  });

  it('is denied with EPERM when its time is up', async () => {
    const { listener, supervisor, reports } = supervised([
      ['openat', () => action.hold({ limitMs: 15 })], ['uname', () => action.hold()],
    ], { limits: { holdLimitMs: 15 } });
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    expect(await listener.notify('uname').answered).toEqual({ kind: 'errno', errno: 'EPERM' });
    await turn();
    expect(supervisor.diagnostics().held).toEqual([]);
    expect(reports.map(({ type }) => type)).toEqual(['holdTimeout', 'holdTimeout']);
  });

  it('is forgotten when its target is gone', async () => {
    const { listener, supervisor } = supervised([['openat', () => action.hold({ limitMs: Infinity })]], { limits: { sweepMs: 5 } });
    const call = listener.notify('openat');
    await until(() => supervisor.diagnostics().held.length === 1);
    listener.withdraw(call);
    await until(() => supervisor.diagnostics().held.length === 0);
    expect(supervisor.release(call.id, action.continue())).toBe(false);
    expect(supervisor.stats().stale).toBe(1);
  });
});
