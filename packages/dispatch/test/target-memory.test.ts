import { closeSync, fstatSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { action, MAX_READ_BYTES, type HandlerContext } from '../src/index.js';
import type { FakeCall, FakeListener } from '../src/testing.js';
import { closeAll, supervised } from './supervised.js';

afterEach(closeAll);

const PID = 1000;
const PAGE = 4096n;

/** Runs this as the handler of one openat and gives what it returned. */
async function inHandler<T>(
  run: (context: HandlerContext, listener: FakeListener, call: FakeCall) => T, prepare?: (listener: FakeListener) => void,
): Promise<T> {
  let result: { value: T } | { error: unknown } | undefined;
  const { listener } = supervised([['openat', (context) => {
    try {
      result = { value: run(context, listener, call) };
    } catch (error) {
      result = { error };
    }
    return action.continue();
  }]]);
  prepare?.(listener);
  const call = listener.notify('openat', { args: [-100, 0x5000, 0, 0] });
  await call.answered;
  await new Promise((resolve) => { setImmediate(resolve); });
  if (result === undefined) throw new Error('The handler was not called.');
  if ('error' in result) throw result.error;
  return result.value;
}

describe('readMemory', () => {
  it('copies what is there', async () => {
    const read = await inHandler((context) => context.readMemory(0x5002n, 3), (listener) => listener.map(PID, 0x5000n, 'abcdef'));
    expect(read).toEqual({ ok: true, bytes: Buffer.from('cde') });
  });

  it('takes the address and the length as registers hold them', async () => {
    const read = await inHandler((context) => context.readMemory(context.args[1]!, 4n), (listener) => listener.map(PID, 0x5000n, 'abcdef'));
    expect(read).toEqual({ ok: true, bytes: Buffer.from('abcd') });
  });

  it('is short where the mapping ends', async () => {
    const read = await inHandler((context) => context.readMemory(0x5000n, 10_000), (listener) => listener.map(PID, 0x5000n, 'abc'));
    expect(read).toEqual({ ok: true, bytes: Buffer.from('abc') });
  });

  it('gives copies that a later read does not change', async () => {
    const [first, second] = await inHandler(
      (context) => [context.readMemory(0x5000n, 3), context.readMemory(0x5003n, 3)] as const,
      (listener) => listener.map(PID, 0x5000n, 'abcdef'));
    expect([first, second]).toEqual([{ ok: true, bytes: Buffer.from('abc') }, { ok: true, bytes: Buffer.from('def') }]);
  });

  it.each<[string, (context: HandlerContext) => { ok: boolean }, string, string]>([
    ['an unmapped address', (context) => context.readMemory(0x9000n, 1), 'fault', 'EFAULT'],
    ['the null pointer', (context) => context.readMemory(0n, 1), 'fault', 'EFAULT'],
    ['more than is copied', (context) => context.readMemory(0x5000n, 2n ** 64n - 1n), 'tooLarge', 'EINVAL'],
    ['one byte more than is copied', (context) => context.readMemory(0x5000n, MAX_READ_BYTES + 1), 'tooLarge', 'EINVAL'],
  ])('of %s fails and says why', async (_, read, reason, errno) => {
    const result = await inHandler(read, (listener) => listener.map(PID, 0x5000n, 'abc'));
    expect(result).toMatchObject({ ok: false, reason, errno });
  });

  it('tells lost access from a bad pointer', async () => {
    for (const error of ['EPERM', 'ESRCH', 'EACCES'] as const) {
      const result = await inHandler((context) => context.readMemory(0x5000n, 1), (listener) => {
        listener.map(PID, 0x5000n, 'abc');
        listener.fail('readMemory', error);
      });
      expect(result).toMatchObject({ ok: false, reason: 'noAccess', errno: 'EACCES' });
    }
  });

  it('touches nothing once the call is gone', async () => {
    const result = await inHandler((context, listener, call) => {
      listener.withdraw(call);
      listener.readMemory = () => { throw new Error('touched'); };
      return context.readMemory(0x5000n, 1);
    }, (listener) => listener.map(PID, 0x5000n, 'abc'));
    expect(result).toMatchObject({ ok: false, reason: 'gone' });
  });

  it.each<[string, (context: HandlerContext) => { ok: boolean }]>([
    ['readMemory', (context) => context.readMemory(0x5000n, 1)],
    ['readCString', (context) => context.readCString(0x5000n, 10)],
    ['readCString of what does not end', (context) => context.readCString(0x5000n, 2)],
    ['writeMemory', (context) => context.writeMemory(0x5000n, Buffer.from('X'))],
  ])('gives nothing of a call that went away meanwhile: %s', async (_, access) => {
    const result = await inHandler((context, listener, call) => {
      const [read, write] = [listener.readMemory.bind(listener), listener.writeMemory.bind(listener)];
      listener.readMemory = (...args) => { listener.withdraw(call); return read(...args); };
      listener.writeMemory = (...args) => { listener.withdraw(call); return write(...args); };
      return access(context);
    }, (listener) => listener.mapString(PID, 0x5000n, 'abc'));
    expect(result).toMatchObject({ ok: false, reason: 'gone' });
  });

  it('refuses lengths and addresses that are none', async () => {
    await expect(inHandler((context) => context.readMemory(0x5000n, -1))).rejects.toThrow(RangeError);
    await expect(inHandler((context) => context.readMemory(0x5000n, 1.5))).rejects.toThrow(RangeError);
    await expect(inHandler((context) => context.readMemory(5 as never, 1))).rejects.toThrow(TypeError);
  });
});

describe('readCString', () => {
  const read = (max = 4096) => (context: HandlerContext) => context.readCString(context.args[1]!, max);

  it('gives bytes and text without the NUL', async () => {
    expect(await inHandler(read(), (listener) => listener.mapString(PID, 0x5000n, '/etc/passwd')))
      .toEqual({ ok: true, bytes: Buffer.from('/etc/passwd'), text: '/etc/passwd', isUtf8: true });
    expect(await inHandler(read(), (listener) => listener.mapString(PID, 0x5000n, '')))
      .toEqual({ ok: true, bytes: Buffer.alloc(0), text: '', isUtf8: true });
  });

  it('keeps bytes that are not UTF-8 apart', async () => {
    const bytes = Buffer.from([0x2f, 0xff, 0x61, 0xc3]);
    expect(await inHandler(read(), (listener) => listener.mapString(PID, 0x5000n, bytes)))
      .toEqual({ ok: true, bytes, text: '/\udcffa\udcc3', isUtf8: false });
  });

  it('reads a string that ends right before an unmapped page', async () => {
    const result = await inHandler((context) => context.readCString(2n * PAGE - 4n, 4096),
      (listener) => listener.mapString(PID, 2n * PAGE - 4n, 'abc'));
    expect(result).toMatchObject({ ok: true, text: 'abc' });
  });

  it('reads no further than the end of a page at a time', async () => {
    const reads: [bigint, number][] = [];
    await inHandler((context, listener) => {
      const read = listener.readMemory.bind(listener);
      listener.readMemory = (pid, address, buffer, offset, length) => {
        reads.push([address, length]);
        return read(pid, address, buffer, offset, length);
      };
      return context.readCString(PAGE + 100n, 5000);
    }, (listener) => listener.map(PID, PAGE + 100n, 'x'.repeat(5000)));
    expect(reads).toEqual([[PAGE + 100n, 3996], [2n * PAGE, 1004]]);
  });

  it('reads on across pages', async () => {
    const long = 'x'.repeat(10_000);
    const result = await inHandler((context) => context.readCString(PAGE + 100n, 20_000),
      (listener) => listener.mapString(PID, PAGE + 100n, long));
    expect(result).toMatchObject({ ok: true, text: long });
  });

  it('has no string without a NUL within the budget, and exactly fits one with', async () => {
    const prepare = (listener: FakeListener) => listener.mapString(PID, 0x5000n, 'abc');
    expect(await inHandler(read(4), prepare)).toMatchObject({ ok: true, text: 'abc' });
    expect(await inHandler(read(3), prepare)).toMatchObject({ ok: false, reason: 'truncated', errno: 'ENAMETOOLONG' });
    expect(await inHandler(read(0), prepare)).toMatchObject({ ok: false, reason: 'truncated' });
  });

  it('faults where the mapping ends before a NUL', async () => {
    expect(await inHandler(read(), (listener) => listener.map(PID, 0x5000n, 'abc'))).toMatchObject({ ok: false, reason: 'fault' });
    expect(await inHandler((context) => context.readCString(0n, 4096))).toMatchObject({ ok: false, reason: 'fault' });
    expect(await inHandler((context) => context.readCString(2n ** 64n - 1n, 4096), (listener) => listener.map(PID, 2n ** 64n - 1n, 'a')))
      .toMatchObject({ ok: false, reason: 'fault' });
  });

  it('gives a denial that a handler can return', async () => {
    const failed = await inHandler((context) => context.readCString(0n, 4096));
    expect(failed.ok ? undefined : failed.deny()).toBe(action.errno('EFAULT'));
  });
});

describe('writeMemory', () => {
  it('writes all of it', async () => {
    let after: string | undefined;
    expect(await inHandler((context, listener) => {
      const written = context.writeMemory(0x5001n, Buffer.from('XY'));
      after = listener.memory(PID, 0x5000n, 4).toString();
      return written;
    }, (listener) => listener.map(PID, 0x5000n, 'abcd'))).toEqual({ ok: true });
    expect(after).toBe('aXYd');
  });

  it('faults on a read-only page, and when only part of it fits', async () => {
    expect(await inHandler((context) => context.writeMemory(0x5000n, Buffer.from('X')),
      (listener) => listener.map(PID, 0x5000n, 'abcd', { writable: false }))).toMatchObject({ ok: false, reason: 'fault' });
    expect(await inHandler((context) => context.writeMemory(0x5003n, Buffer.from('XY')),
      (listener) => listener.map(PID, 0x5000n, 'abcd'))).toMatchObject({ ok: false, reason: 'fault' });
  });

  it('touches nothing once the call is gone', async () => {
    let after: string | undefined;
    expect(await inHandler((context, listener, call) => {
      listener.withdraw(call);
      const written = context.writeMemory(0x5000n, Buffer.from('X'));
      after = listener.memory(PID, 0x5000n, 4).toString();
      return written;
    }, (listener) => listener.map(PID, 0x5000n, 'abcd'))).toMatchObject({ ok: false, reason: 'gone' });
    expect(after).toBe('abcd');
  });
});

describe('dupFd', () => {
  it('gives a copy, looking at the low 32 bits as the kernel does', async () => {
    const prepare = (listener: FakeListener) => { listener.targetFds.set(`${PID}:5`, 77); };
    expect(await inHandler((context) => context.dupFd(5), prepare)).toEqual({ ok: true, fd: 77 });
    expect(await inHandler((context) => context.dupFd((1n << 32n) | 5n), prepare)).toEqual({ ok: true, fd: 77 });
  });

  it('says why there is none', async () => {
    expect(await inHandler((context) => context.dupFd(6))).toMatchObject({ ok: false, reason: 'badFd', errno: 'EBADF' });
    expect(await inHandler((context) => context.dupFd(2n ** 64n - 100n))).toMatchObject({ ok: false, reason: 'badFd' });
    expect(await inHandler((context) => context.dupFd(5), (listener) => listener.fail('dupFd', 'EPERM')))
      .toMatchObject({ ok: false, reason: 'noAccess' });
    expect(await inHandler((context) => context.dupFd(5), (listener) => listener.fail('dupFd', 'EMFILE')))
      .toMatchObject({ ok: false, reason: 'exhausted' });
  });

  it('closes a copy that may be of another process', async () => {
    let closed: readonly number[] = [];
    const fd = openSync('/dev/null', 'r');
    const result = await inHandler((context, listener, call) => {
      listener.dupFd = () => {
        listener.withdraw(call);
        return fd;
      };
      const copy = context.dupFd(5);
      closed = [...listener.closedFds];
      return copy;
    });
    expect(result).toMatchObject({ ok: false, reason: 'gone' });
    expect(closed).toEqual([fd]);
    expect(fstatSync(fd).isCharacterDevice()).toBe(true);
    closeSync(fd);
  });
});

describe('a context', () => {
  it('is inert once its handler has returned, also while the call is with the next one', async () => {
    let kept: HandlerContext | undefined;
    let later: unknown;
    const { listener } = supervised([
      ['openat', (context) => { kept = context; return action.continue(); }],
      ['openat', (context) => {
        later = {
          own: [context.isValid(), context.readMemory(0x5000n, 3).ok],
          kept: [
            kept!.isValid(), kept!.readMemory(0x5000n, 3), kept!.readCString(0x5000n, 9), kept!.readPath(),
            kept!.writeMemory(0x5000n, Buffer.from('X')), kept!.dupFd(5), kept!.signal.aborted,
          ],
        };
        return action.continue();
      }],
    ]);
    listener.mapString(PID, 0x5000n, 'abc');
    listener.targetFds.set(`${PID}:5`, 77);
    await listener.notify('openat', { args: [0, 0x5000] }).answered;
    const ended = expect.objectContaining({ ok: false, reason: 'ended' }) as unknown;
    expect(later).toEqual({ own: [true, true], kept: [false, ended, ended, ended, ended, ended, true] });
    expect(listener.memory(PID, 0x5000n, 3).toString()).toBe('abc');
    expect(kept!.name).toBe('openat');
    expect(kept!.args[1]).toBe(0x5000n);
  });
});
