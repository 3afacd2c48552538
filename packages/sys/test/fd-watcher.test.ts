import { afterEach, describe, expect, it } from 'vitest';

import { close, FdWatcher, pipe, read, UV_READABLE, write } from '../src/index.js';

const open: number[] = [];
afterEach(() => open.splice(0).forEach(close));

function newPipe(): [number, number] {
  const ends = pipe();
  open.push(...ends);
  return ends;
}

const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => { setTimeout(resolve, 2); });
};

describe('FdWatcher', () => {
  it('calls back while there is something to read, and no longer', async () => {
    const [readEnd, writeEnd] = newPipe();
    let calls = 0;
    const watcher = new FdWatcher(readEnd, UV_READABLE, (events, status) => {
      expect([events, status]).toEqual([UV_READABLE, 0]);
      if (++calls === 3) read(readEnd, Buffer.alloc(16));
    });
    await turns(3);
    expect(calls).toBe(0);
    write(writeEnd, Buffer.from('x'));
    await turns(10);
    expect(calls).toBe(3); // level-triggered: until it was read
    watcher.close();
  });

  it('does not call back once closed, also from within, and closes twice', async () => {
    const [readEnd, writeEnd] = newPipe();
    let calls = 0;
    const watcher = new FdWatcher(readEnd, UV_READABLE, () => {
      calls++;
      watcher.close();
      watcher.close();
    });
    write(writeEnd, Buffer.from('x'));
    await turns(5);
    expect(calls).toBe(1);
    watcher.ref();
    watcher.unref();
  });

  it('lets a new one watch the number of a closed descriptor', async () => {
    const [readEnd] = pipe();
    new FdWatcher(readEnd, UV_READABLE, () => expect.unreachable()).close();
    close(readEnd);
    const [again, writeEnd] = newPipe();
    expect(again).toBe(readEnd);
    await new Promise<void>((resolve) => {
      const watcher = new FdWatcher(again, UV_READABLE, () => {
        watcher.close();
        resolve();
      });
      write(writeEnd, Buffer.from('x'));
    });
  });

  it('refuses a descriptor that is not open', () => {
    expect(() => new FdWatcher(9999, UV_READABLE, () => undefined)).toThrow();
  });
});
