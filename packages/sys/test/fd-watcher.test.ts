import { readFile } from 'node:fs/promises';

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

describe('an eager FdWatcher', () => {
  const LONG_US = 3_600_000_000 / 2; // far beyond this test: whoever waits for it has hung
  /** A watcher whose thread sleeps on the descriptor from now on. */
  async function eager(onByte: (byte: string) => void) {
    const [readEnd, writeEnd] = newPipe();
    const buffer = Buffer.alloc(1);
    const watcher = new FdWatcher(readEnd, UV_READABLE, () => {
      read(readEnd, buffer);
      onByte(buffer.toString());
    }, LONG_US);
    const send = (byte: string) => write(writeEnd, Buffer.from(byte));
    return { watcher, send };
  }

  it('still lets timers, immediates, the thread pool and other watchers have their turn', async () => {
    const log: string[] = [];
    const { watcher, send } = await eager((byte) => log.push(byte));
    send('a');
    await turns(2);
    await new Promise(setImmediate);
    await readFile(new URL(import.meta.url)); // thread pool
    const [readEnd, writeEnd] = newPipe();
    await new Promise<void>((resolve) => { // registered while the other one waits, and made readable by a timer
      const other = new FdWatcher(readEnd, UV_READABLE, () => {
        other.close();
        resolve();
      });
      setTimeout(() => write(writeEnd, Buffer.from('x')), 5);
    });
    send('b');
    await turns(2);
    expect(log).toEqual(['a', 'b']);
    watcher.close();
  });

  it('lets a descriptor that is watched from within its callback end the wait', async () => {
    const [readEnd, writeEnd] = newPipe();
    write(writeEnd, Buffer.from('x'));
    await new Promise<void>((resolve) => {
      void eager(() => {
        const other = new FdWatcher(readEnd, UV_READABLE, () => {
          other.close();
          resolve();
        });
      }).then(({ send, watcher }) => {
        send('a');
        setTimeout(() => watcher.close(), 50);
      });
    });
  });

  it('runs what its callback left to promises and nextTick before it sleeps again', async () => {
    const done: string[] = [];
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => { answer = resolve; });
    const { watcher, send } = await eager((byte) => {
      process.nextTick(() => done.push(`tick ${byte}`));
      void Promise.resolve().then(() => {
        done.push(`promise ${byte}`);
        if (byte === 'b') answer();
        else send('b');
      });
    });
    send('a');
    await answered;
    expect(done).toEqual(['tick a', 'promise a', 'tick b', 'promise b']);
    watcher.close();
  });

  it('may be closed from within its callback', async () => {
    let calls = 0;
    const { watcher, send } = await eager(() => {
      calls++;
      if (calls === 2) watcher.close();
    });
    send('a');
    await turns(2);
    send('b');
    send('c');
    await turns(3);
    expect(calls).toBe(2);
  });
});
