/** The calls of a listener, one by one, with a thread of this process as the target. */
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';

import {
  close, errnoName, guardProgramPath, NOTIF_BYTES, SECCOMP_USER_NOTIF_FLAG_CONTINUE, seccompNotifIdValid, seccompNotifReceive, seccompNotifSend,
} from '../../src/index.js';

const GETPGID = process.arch === 'x64' ? 121 : 155;
const addon = join(dirname(guardProgramPath()), 'sandlock.node');

let listener = -1;
afterEach(() => {
  if (listener >= 0) close(listener);
  listener = -1;
});

/** A thread whose getpgid(2) is notified; it makes the call `calls` times and ends. */
async function target(calls: number): Promise<{ answers: Promise<number[]>; ended: Promise<unknown> }> {
  const worker = new Worker(`
    const { parentPort } = require('node:worker_threads');
    const kernel = require(${JSON.stringify(addon)});
    const code = (...instructions) => Buffer.concat(instructions.map(([op, jt, jf, k]) => {
      const bytes = Buffer.from([op, 0, jt, jf, 0, 0, 0, 0]);
      bytes.writeUInt32LE(k, 4);
      return bytes;
    }));
    // nr; equal: SECCOMP_RET_USER_NOTIF, otherwise SECCOMP_RET_ALLOW
    const filter = code([0x20, 0, 0, 0], [0x15, 0, 1, ${GETPGID}], [0x06, 0, 0, 0x7fc00000], [0x06, 0, 0, 0x7fff0000]);
    kernel.setNoNewPrivs();
    parentPort.postMessage(kernel.seccompSetModeFilter(8, filter)); // SECCOMP_FILTER_FLAG_NEW_LISTENER
    const answers = [];
    for (let n = 0; n < ${calls}; n++) answers.push(kernel.getpgid(0));
    parentPort.postMessage(answers);`, { eval: true });
  const waiting: ((value: never) => void)[] = [];
  worker.on('message', (message) => waiting.shift()?.(message as never));
  const next = async <T>(): Promise<T> => new Promise<T>((resolve) => waiting.push(resolve as (value: never) => void));
  listener = await next<number>();
  expect(listener).toBeGreaterThan(2);
  return { answers: next<number[]>(), ended: new Promise((resolve) => worker.once('exit', resolve)) };
}

async function received(buffer: Buffer): Promise<bigint> {
  for (let n = 0; n < 500; n++) {
    const result = seccompNotifReceive(listener, buffer);
    if (result === 1) return buffer.readBigUInt64LE(0);
    expect(result).toBe(0);
    await sleep(10);
  }
  return expect.fail('nothing was received');
}

describe('a listener', () => {
  it('gives one notification after the other, each to be answered once, and then says that nobody is left', async () => {
    const { answers, ended } = await target(2);
    const buffer = Buffer.alloc(NOTIF_BYTES, 0xff); // what the kernel would refuse
    const first = await received(buffer);
    expect(buffer.readInt32LE(16)).toBe(GETPGID); // data.nr
    expect(seccompNotifReceive(listener, buffer)).toBe(0); // the thread makes no other call
    expect(seccompNotifIdValid(listener, first)).toBe(0);
    expect(seccompNotifSend(listener, first, 4711n, 0, 0)).toBe(0);
    expect(errnoName(seccompNotifSend(listener, first, 1n, 0, 0))).toMatch(/^(ENOENT|EINPROGRESS)$/);

    const second = await received(buffer);
    expect(second).not.toBe(first);
    expect(errnoName(seccompNotifIdValid(listener, first))).toBe('ENOENT');
    expect(seccompNotifSend(listener, second, 0n, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE)).toBe(0);
    const [made, own] = await answers;
    expect(made).toBe(4711);
    expect(own).toBeGreaterThan(0); // the kernel's own answer

    await ended;
    let last = 0;
    for (let n = 0; n < 200 && (last = seccompNotifReceive(listener, buffer)) === 0; n++) await sleep(10);
    expect(errnoName(last)).toBe('EPIPE');
  });
});
