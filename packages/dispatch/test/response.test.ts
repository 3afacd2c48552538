import { O_CLOEXEC } from '@sandlock/sys';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Call } from '../src/call.js';
import { action, type Handler, type Outcome } from '../src/index.js';
import { NotificationBuffer } from '../src/notification.js';
import { ReportQueue } from '../src/reports.js';
import { Responder } from '../src/responder.js';
import { FakeListener } from '../src/testing.js';
import { closeAll, supervised, turn } from './supervised.js';

afterEach(closeAll);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dispatch-'));
  writeFileSync(join(directory, 'file'), 'content');
});
afterAll(() => { rmSync(directory, { recursive: true }); });

/** A real descriptor whose closes are counted. */
function counted() {
  const fd = openSync(join(directory, 'file'), 'r');
  let closes = 0;
  return { fd, close() { closes++; if (closes === 1) closeSync(fd); }, get closes() { return closes; } };
}

describe('injectFdSend', () => {
  it('installs the descriptor as the result, close-on-exec, and closes ours once', async () => {
    const source = counted();
    const { listener } = supervised([['openat', () => action.injectFdSend({ srcFd: source })]]);
    const call = listener.notify('openat');
    expect(await call.answered).toEqual({ kind: 'fd', fd: 3 });
    expect(call.injections).toEqual([{ fd: 3, srcFd: source.fd, cloexec: true, content: Buffer.from('content') }]);
    expect(source.closes).toBe(1);
  });

  it('installs it at a number of our choice', async () => {
    const source = counted();
    const { listener } = supervised([['openat', () => action.injectFdSend({ srcFd: source, targetFd: 960, newFdFlags: 0 })]]);
    const call = listener.notify('openat');
    expect(await call.answered).toEqual({ kind: 'fd', fd: 960 });
    expect(call.injections).toMatchObject([{ fd: 960, srcFd: source.fd, cloexec: false }]);
    expect(source.closes).toBe(1);
  });

  it.each(['EBADF', 'EBUSY'] as const)('says EMFILE for a number beyond the limit of the target or just being taken, or takes the lowest if that will do: %s', async (errno) => {
    for (const orLowest of [false, true]) {
      const source = counted();
      const { listener } = supervised([['openat', () => action.injectFdSend({ srcFd: source, targetFd: 960, orLowest })]]);
      listener.fail('addFd', errno);
      const call = listener.notify('openat');
      expect(await call.answered).toEqual(orLowest ? { kind: 'fd', fd: 3 } : { kind: 'errno', errno: 'EMFILE' });
      expect(source.closes).toBe(1);
    }
    const source = counted();
    expect(() => action.injectFdSend({ srcFd: source, targetFd: -1 })).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_ACTION_FD' }));
    expect(source.closes).toBe(1);
  });

  it('asks for the number when it is answered with, so that two answers of one moment have two', async () => {
    const taken = new Set<number>();
    const targetFd = () => [960, 961].find((fd) => !taken.has(fd));
    const settling: (() => void)[] = [];
    const { listener } = supervised([['openat', () => action.defer(async () => {
      await new Promise<void>((resolve) => settling.push(resolve));
      return action.injectFdSend({ srcFd: counted(), targetFd });
    })]]);
    const calls = [listener.notify('openat'), listener.notify('openat'), listener.notify('openat')];
    await expect.poll(() => settling.length).toBe(3);
    const injectAt = listener.addFd.bind(listener);
    listener.addFd = (...args) => {
      taken.add(args[3]);
      return injectAt(...args);
    };
    for (const settle of settling) settle();
    expect(await Promise.all(calls.map(({ answered }) => answered))).toEqual([
      { kind: 'fd', fd: 960 }, { kind: 'fd', fd: 961 }, { kind: 'errno', errno: 'EMFILE' },
    ]);
  });

  it('takes the lowest where none is given and that will do, and denies the call where the question fails', async () => {
    const failing = () => { throw new Error('no number'); };
    for (const [targetFd, response] of [
      [() => undefined, { kind: 'fd', fd: 3 }], [failing, { kind: 'errno', errno: 'EACCES' }], [() => -1, { kind: 'errno', errno: 'EACCES' }],
    ] as const) {
      const source = counted();
      const { listener } = supervised([['openat', () => action.injectFdSend({ srcFd: source, targetFd, orLowest: true })]]);
      expect(await listener.notify('openat').answered).toEqual(response);
      expect(source.closes).toBe(1);
    }
  });

  it('leaves the number open across exec when told so', async () => {
    const { listener } = supervised([['openat', () => action.injectFdSend({ srcFd: counted(), newFdFlags: 0 })]]);
    const call = listener.notify('openat');
    await call.answered;
    expect(call.injections[0]!.cloexec).toBe(false);
  });

  it.each([
    ['EBADF', 'EACCES'], ['EINVAL', 'EACCES'], ['EPERM', 'EACCES'], ['EMFILE', 'EMFILE'], ['ENFILE', 'ENFILE'],
  ] as const)('that fails with %s answers %s, never continue, and closes once', async (error, errno) => {
    const source = counted();
    let injected = false;
    const { listener, reports, supervisor } = supervised([['openat', () => action.injectFdSendTracked({
      srcFd: source, onInjected: () => { injected = true; },
    })]]);
    listener.fail('addFd', error);
    const call = listener.notify('openat');
    expect(await call.answered).toEqual({ kind: 'errno', errno });
    expect({ closes: source.closes, injected, injections: call.injections }).toEqual({ closes: 1, injected: false, injections: [] });
    await turn();
    expect(reports).toMatchObject([{ type: 'injectionFailed', reason: error }]);
    expect(supervisor.stats().injectionFailures).toBe(1);
  });

  it('to a target that is gone closes once and is no failure', async () => {
    const source = counted();
    const { listener, reports, supervisor } = supervised([['openat', ({ id }) => {
      listener.withdraw(call);
      expect(id).toBe(call.id);
      return action.injectFdSend({ srcFd: source });
    }]]);
    const call = listener.notify('openat');
    await call.answered;
    await turn();
    expect(source.closes).toBe(1);
    expect(supervisor.stats()).toMatchObject({ stale: 1, injectionFailures: 0 });
    expect(reports).toEqual([]);
  });

  it('is tried again when a signal interrupted it', async () => {
    const { listener } = supervised([['openat', () => action.injectFdSend({ srcFd: counted() })]]);
    listener.fail('addFd', 'EINTR', 'EINTR');
    expect(await listener.notify('openat').answered).toEqual({ kind: 'fd', fd: 3 });
  });

  it('serves one answer: the same action again is denied, whatever its number stands for by then', async () => {
    const source = counted();
    let closes = 0;
    const once = action.injectFdSend({ srcFd: { fd: source.fd, close: () => { closes++; } } }); // the number stays open
    const { listener } = supervised([['openat', () => once]]);
    expect((await listener.notify('openat').answered).kind).toBe('fd');
    const second = listener.notify('openat');
    expect(await second.answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    expect({ closes, injections: second.injections }).toEqual({ closes: 1, injections: [] });
    source.close();
  });

  it('for a call that has its answer only gives its descriptor up', () => {
    const source = counted();
    const listener = new FakeListener('x86_64');
    const responder = new Responder(listener, new ReportQueue(undefined, 1));
    listener.notify('openat');
    const buffer = new NotificationBuffer();
    listener.receive(buffer.bytes);
    const call = new Call(buffer, { nr: 257, name: 'openat', links: [], answered: [], inlineOnly: false, notifications: 0 });
    responder.answer(call, action.errno('EPERM'));
    listener.addFd = () => { throw new Error('answered twice'); };
    responder.answer(call, action.injectFdSend({ srcFd: source }));
    expect(source.closes).toBe(1);
  });

  it('of a plain number closes that number, and not its successor', async () => {
    const fd = openSync(join(directory, 'file'), 'r');
    const { listener, supervisor } = supervised([['openat', () => action.injectFdSend({ srcFd: fd })]]);
    await listener.notify('openat').answered;
    const next = Array.from({ length: 8 }, () => openSync(join(directory, 'file'), 'r')); // one of them under that number
    await supervisor.close();
    for (const each of next) {
      expect(readlinkSync(`/proc/self/fd/${each}`)).toBe(join(directory, 'file'));
      closeSync(each);
    }
  });

  it('of the listener itself is denied and leaves the listener open', async () => {
    const fd = openSync('/dev/null', 'r');
    const { listener } = supervised([
      ['openat', () => action.injectFdSend({ srcFd: fd })],
      ['openat2', () => action.injectFd({ srcFd: fd, targetFd: 7 })],
    ]);
    Object.assign(listener, { fd });
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    expect(await listener.notify('openat2').answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    expect(fstatSync(fd).isCharacterDevice()).toBe(true);
    closeSync(fd);
  });
});

describe('injectFdSendTracked', () => {
  it('tells the number of the target once, before any later notification', async () => {
    const log: string[] = [];
    const { listener } = supervised([
      ['socket', () => action.injectFdSendTracked({ srcFd: counted(), onInjected: (fd) => log.push(`injected ${fd}`) })],
      ['close', () => { log.push('close'); return action.continue(); }],
    ]);
    const [socket, close] = [listener.notify('socket'), listener.notify('close')];
    await Promise.all([socket.answered, close.answered]);
    expect(log).toEqual(['injected 3', 'close']);
  });

  it('is delivered also when its callback throws, which is reported', async () => {
    const { listener, reports } = supervised([['socket', () => action.injectFdSendTracked({
      srcFd: counted(), onInjected: () => { throw new Error('callback'); },
    })]]);
    expect((await listener.notify('socket').answered).kind).toBe('fd');
    await turn();
    expect(reports).toMatchObject([{ type: 'callback', callback: 'onInjected' }]);
  });
});

describe('injectFd', () => {
  it('replaces a number of the target and lets the call run; ours stays ours', async () => {
    const source = counted();
    const { listener } = supervised([['dup2', () => action.injectFd({ srcFd: source.fd, targetFd: 7, newFdFlags: O_CLOEXEC })]]);
    const call = listener.notify('dup2');
    expect(await call.answered).toEqual({ kind: 'continue' });
    expect(call.injections).toMatchObject([{ fd: 7, srcFd: source.fd, cloexec: true }]);
    expect(readFileSync(source.fd, 'utf8')).toBe('content');
    source.close();
  });

  it('that fails answers EACCES', async () => {
    const source = counted();
    const { listener } = supervised([['dup2', () => action.injectFd({ srcFd: source.fd, targetFd: 7 })]]);
    listener.fail('addFd', 'EBADF');
    expect(await listener.notify('dup2').answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    source.close();
  });
});

describe('injectBytes', () => {
  const bytes = action.bytes('hello');
  const give: Handler = () => bytes;

  it('gives a fresh file each time and closes each once', async () => {
    const { listener } = supervised([['openat', give]]);
    const calls = [listener.notify('openat'), listener.notify('openat')];
    for (const call of calls) expect((await call.answered).kind).toBe('fd');
    expect(calls.map(({ injections }) => injections[0]!.content?.toString())).toEqual(['hello', 'hello']);
    expect(new Set(listener.closedFds).size).toBe(2);
    expect(listener.closedFds).toHaveLength(2);
    expect(listener.openFiles.size).toBe(0);
  });

  it('answers EIO when there is no file to be had', async () => {
    const { listener } = supervised([['openat', give]]);
    listener.fail('makeFile', 'ENOMEM');
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EIO' });
  });

  it('closes its file when the injection fails', async () => {
    const { listener } = supervised([['openat', give]]);
    listener.fail('addFd', 'EMFILE');
    expect(await listener.notify('openat').answered).toEqual({ kind: 'errno', errno: 'EMFILE' });
    expect(listener.closedFds).toHaveLength(1);
    expect(listener.openFiles.size).toBe(0);
  });
});

describe('a response', () => {
  it('that the kernel calls malformed is followed by one valid denial', async () => {
    const { listener, reports } = supervised([['uname', () => action.returnValue(1)]]);
    listener.fail('send', 'EINVAL');
    expect(await listener.notify('uname').answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    await turn();
    expect(reports).toMatchObject([{ type: 'sendFailed', reason: 'EINVAL' }]);
  });

  it('is tried no third time', async () => {
    const { listener, supervisor } = supervised([['uname', () => action.returnValue(1)], ['getpid', () => action.returnValue(2)]]);
    listener.fail('send', 'EINVAL', 'EINVAL');
    const call = listener.notify('uname');
    expect((await listener.notify('getpid').answered).value).toBe(2n);
    expect(call.waits).toBe(true);
    expect(supervisor.stats().sendFailures).toBe(2);
  });

  it('is sent again after EINTR', async () => {
    const { listener } = supervised([['uname', () => action.returnValue(1)]]);
    listener.fail('send', 'EINTR', 'EINTR');
    expect((await listener.notify('uname').answered).value).toBe(1n);
  });

  it('to a call answered already is reported and not repeated', async () => {
    const { listener, reports } = supervised([['uname', () => action.returnValue(1)]]);
    listener.fail('send', 'EINPROGRESS');
    listener.notify('uname');
    await turn();
    await turn();
    expect(reports).toMatchObject([{ type: 'sendFailed', reason: 'EINPROGRESS' }]);
  });
});

describe('onOutcome', () => {
  async function outcomeOf(last: Handler, prepare?: (listener: ReturnType<typeof supervised>['listener']) => void) {
    const outcomes: Outcome[] = [];
    const { listener } = supervised([
      ['clone', (context) => { context.onOutcome((outcome) => outcomes.push(outcome)); return action.continue(); }],
      ['clone', last],
    ]);
    prepare?.(listener);
    await listener.notify('clone').answered;
    return outcomes;
  }

  it('tells an earlier handler what the chain came to', async () => {
    expect(await outcomeOf(() => action.continue())).toEqual([{ delivered: true, kind: 'continue', errno: undefined, fd: undefined }]);
    expect(await outcomeOf(() => action.errno('EPERM'))).toEqual([{ delivered: true, kind: 'errno', errno: 1, fd: undefined }]);
    expect(await outcomeOf(() => action.bytes(''))).toEqual([{ delivered: true, kind: 'fd', errno: undefined, fd: 3 }]);
  });

  it('tells of the denial that a failed injection became', async () => {
    expect(await outcomeOf(() => action.bytes(''), (listener) => listener.fail('addFd', 'EMFILE')))
      .toEqual([{ delivered: true, kind: 'errno', errno: 24, fd: undefined }]);
  });

  it('tells of an answer that reached nobody', async () => {
    const outcomes: Outcome[] = [];
    const { listener } = supervised([['clone', (context) => {
      context.onOutcome((outcome) => outcomes.push(outcome));
      listener.withdraw(call);
      return action.continue();
    }]]);
    const call = listener.notify('clone');
    await call.answered;
    await turn();
    expect(outcomes).toMatchObject([{ delivered: false }]);
  });

  it('is called for everyone also when one throws', async () => {
    const seen: string[] = [];
    const { listener, reports } = supervised([['clone', (context) => {
      context.onOutcome(() => { throw new Error('undo'); });
      context.onOutcome(() => seen.push('second'));
      return action.continue();
    }]]);
    await listener.notify('clone').answered;
    await turn();
    expect(seen).toEqual(['second']);
    expect(reports).toMatchObject([{ type: 'callback', callback: 'onOutcome' }]);
  });
});
