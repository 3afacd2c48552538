import { closeSync, mkdtempSync, openSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { action, isAction } from '../src/index.js';
import { until } from './supervised.js';

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'action-'));
  file = join(directory, 'file');
  writeFileSync(file, '');
});
afterAll(() => { rmSync(directory, { recursive: true }); });

/** Whether the number still stands for our file: other threads of this process take free numbers at any time. */
function isOurs(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === file;
  } catch {
    return false;
  }
}

describe('action', () => {
  it('takes an errno by name or from 1 to 4095', () => {
    expect(action.errno('EACCES')).toMatchObject({ kind: 'errno', errno: 13 });
    expect(action.errno(1).errno).toBe(1);
    expect(action.errno(4095).errno).toBe(4095);
    for (const wrong of [0, -1, 4096, 1.5, NaN, 'ENOTHING', '13', null, undefined]) {
      expect(codeOf(() => action.errno(wrong as number))).toBe('ERR_SANDLOCK_ACTION_ERRNO');
    }
  });

  it('refuses a return value that reads as an error, unless it is meant', () => {
    for (const fine of [0, 1, -4096, 2n ** 63n - 1n, -(2n ** 63n)]) expect(action.returnValue(fine).value).toBe(BigInt(fine));
    for (const wrong of [-1, -4095, -13n, 2n ** 63n, -(2n ** 63n) - 1n, 1.5, NaN, '1', 2 ** 53]) {
      expect(codeOf(() => action.returnValue(wrong as number))).toBe('ERR_SANDLOCK_ACTION_VALUE');
    }
    for (const small of [0, 1023, 1024, -0]) expect(action.returnValue(small).value).toBe(BigInt(small));
    expect(action.returnValue(7)).toBe(action.returnValue(7));
    expect(action.returnValue(-13, { allowErrnoRange: true }).value).toBe(-13n);
  });

  it('takes signals from 1 to 64 and targets that are not everyone', () => {
    expect(action.kill({ signal: 64, target: 2 })).toMatchObject({ kind: 'kill', signal: 64, target: 2 });
    for (const signal of [0, 65, -9, 1.5]) expect(codeOf(() => action.kill({ signal, target: 'task' }))).toBe('ERR_SANDLOCK_ACTION_SIGNAL');
    for (const target of [0, 1, -1, -1000, 2.5, 'all']) {
      expect(codeOf(() => action.kill({ signal: 9, target: target as number }))).toBe('ERR_SANDLOCK_ACTION_ARGUMENT');
    }
  });

  it('refuses standard streams, closed numbers and nonsense as a source', () => {
    const closed = 1_000_000;
    for (const srcFd of [0, 1, 2, -1, 1.5, closed, '5', undefined, null]) {
      expect(codeOf(() => action.injectFdSend({ srcFd: srcFd as number }))).toBe('ERR_SANDLOCK_ACTION_FD');
      expect(codeOf(() => action.injectFd({ srcFd: srcFd as number, targetFd: 5 }))).toBe('ERR_SANDLOCK_ACTION_FD');
    }
    for (const fd of [0, 1, 2]) expect(readlinkSync(`/proc/self/fd/${fd}`)).toBeTruthy();
  });

  it('closes what was handed over when the rest of the options is wrong', () => {
    const first = openSync(file, 'r');
    expect(isOurs(first)).toBe(true);
    expect(codeOf(() => action.injectFdSend({ srcFd: first, newFdFlags: 1 }))).toBe('ERR_SANDLOCK_ACTION_FLAGS');
    expect(isOurs(first)).toBe(false);
    const second = openSync(file, 'r');
    expect(codeOf(() => action.injectFdSendTracked({ srcFd: second, onInjected: 1 as never }))).toBe('ERR_SANDLOCK_ACTION_ARGUMENT');
    expect(isOurs(second)).toBe(false);
  });

  it('closes a descriptor once on discard, whatever is opened under its number after', () => {
    const fd = openSync(file, 'r');
    const owning = action.injectFdSend({ srcFd: fd });
    owning.discard();
    expect(isOurs(fd)).toBe(false);
    const next = Array.from({ length: 8 }, () => openSync(file, 'r')); // one of them under that number
    owning.discard();
    expect(next.every(isOurs)).toBe(true);
    next.forEach((each) => { closeSync(each); });
  });

  it('takes a FileHandle and closes it through the handle', async () => {
    const handle = await open(file, 'r');
    const { fd } = handle;
    const owning = action.injectFdSend({ srcFd: handle });
    expect(isOurs(fd)).toBe(true);
    owning.discard();
    expect(handle.fd).toBe(-1);
    await until(() => !isOurs(fd)); // it closes on another thread
  });

  it('copies bytes when it is made', () => {
    const data = new Uint8Array([1, 2, 3]);
    const made = action.injectBytes(data);
    data.fill(9);
    expect([...made.data]).toEqual([1, 2, 3]);
    expect(codeOf(() => action.injectBytes(5 as never))).toBe('ERR_SANDLOCK_ACTION_ARGUMENT');
  });

  it('is frozen, and nothing else passes for one', () => {
    const made = [
      action.continue(), action.errno('EPERM'), action.returnValue(1), action.injectBytes(''), action.hold(),
      action.kill({ signal: 9, target: 'task' }), action.defer(() => action.continue()),
    ];
    for (const each of made) {
      expect(Object.isFrozen(each)).toBe(true);
      expect(isAction(each)).toBe(true);
    }
    for (const other of [undefined, null, 0, 'continue', {}, { kind: 'continue' }, Object.create(action.continue())]) {
      expect(isAction(other)).toBe(false);
    }
  });

  it('refuses time limits and work that are none', () => {
    for (const limitMs of [0, -1, NaN, '5']) expect(codeOf(() => action.hold({ limitMs: limitMs as number }))).toBe('ERR_SANDLOCK_ACTION_TIME');
    expect(codeOf(() => action.defer(undefined as never))).toBe('ERR_SANDLOCK_ACTION_ARGUMENT');
  });
});
