import { afterEach, describe, expect, it } from 'vitest';

import { close, errnoName, NotifWatcher, NOTIF_BYTES, pipe, write } from '../src/index.js';

const open: number[] = [];
afterEach(() => open.splice(0).forEach(close));

// What it does with a listener is tested live, in the dispatch package.
describe('NotifWatcher', () => {
  it('says what the kernel says of a descriptor that is no listener', async () => {
    const [readEnd, writeEnd] = pipe();
    open.push(readEnd, writeEnd);
    const received = await new Promise<number>((resolve) => {
      const watcher = new NotifWatcher({
        fd: readEnd, buffer: Buffer.alloc(NOTIF_BYTES), eagerUs: 0,
        onReceived(code) {
          watcher.close();
          resolve(code);
        },
      });
      write(writeEnd, Buffer.from('x'));
    });
    expect(errnoName(received)).toBe('ENOTTY');
  });

  it('refuses a buffer that is smaller than a notification, and a descriptor that is not open', () => {
    const [readEnd, writeEnd] = pipe();
    open.push(readEnd, writeEnd);
    const onReceived = () => expect.unreachable();
    expect(() => new NotifWatcher({ fd: readEnd, buffer: Buffer.alloc(NOTIF_BYTES - 1), eagerUs: 0, onReceived })).toThrow(RangeError);
    expect(() => new NotifWatcher({ fd: 9999, buffer: Buffer.alloc(NOTIF_BYTES), eagerUs: 0, onReceived })).toThrow();
  });
});
