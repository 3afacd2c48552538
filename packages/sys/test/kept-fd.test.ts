import { fstatSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { close, isOpenFd, KeptFd, MFD_CLOEXEC, memfdCreate } from '../src/index.js';

const memfd = () => memfdCreate('kept', MFD_CLOEXEC);
const inode = (fd: number) => fstatSync(fd, { bigint: true }).ino;

describe('a kept descriptor', () => {
  it('is closed once', () => {
    const kept = new KeptFd(memfd());
    expect(isOpenFd(kept.fd)).toBe(true);
    kept.close();
    expect(isOpenFd(kept.fd)).toBe(false);
    const next = memfd(); // gets the number
    expect(next).toBe(kept.fd);
    kept.close();
    expect(isOpenFd(next)).toBe(true);
    close(next);
  });

  it('is not closed once it was handed over', () => {
    const kept = new KeptFd(memfd());
    expect(kept.release()).toBe(kept.fd);
    kept.close();
    expect(isOpenFd(kept.fd)).toBe(true);
    close(kept.fd);
  });

  it('is closed when nobody holds it any more', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const { fd, ino } = (() => {
      const kept = new KeptFd(memfd());
      return { fd: kept.fd, ino: inode(kept.fd) };
    })();
    for (let n = 0; n < 50 && isOpenFd(fd) && inode(fd) === ino; n++) {
      gc();
      await sleep(10);
    }
    expect(isOpenFd(fd) && inode(fd) === ino).toBe(false);
  });

  it('is closed with the worker thread that kept it, also one that is ended', async () => {
    const module = new URL('../dist/index.js', import.meta.url).href;
    const worker = new Worker(`
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(module)}).then(({ KeptFd, memfdCreate }) => {
        globalThis.kept = new KeptFd(memfdCreate('kept', 1));
        parentPort.postMessage(globalThis.kept.fd);
        setInterval(() => undefined, 1000);
      });`, { eval: true });
    const fd = await new Promise<number>((resolve) => worker.once('message', resolve));
    const ino = inode(fd);
    await worker.terminate();
    expect(isOpenFd(fd) && inode(fd) === ino).toBe(false);
  });
});
