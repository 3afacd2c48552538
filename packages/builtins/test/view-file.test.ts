import { type Family } from '@sandlock/dispatch';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY, S_IFREG } from '@sandlock/sys';
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { viewFile, type Late, type View, type ViewStat } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const asker = { pid: process.pid, tgid: process.pid };

function opening(view: View): Family {
  return { name: 'test', handlers: { openat: ({ args }) => view.open({ asker, subject: asker, name: view.path, flags: Number(args[2]), mayWrite: true }) } };
}

function open(view: View, flags: number) {
  return new Supervised(opening(view)).call('openat', [AT_FDCWD, 0, flags]);
}

describe('a view that is a file', () => {
  it('has its content, of the moment and of the one who asks', async () => {
    let n = 0;
    const view = viewFile('/proc/x', ({ subject }) => `${++n} ${subject.tgid}\n`);
    expect(await open(view, 0)).toMatchObject({ kind: 'fd', content: `1 ${process.pid}\n`, cloexec: false });
    expect(await open(view, O_CLOEXEC)).toMatchObject({ kind: 'fd', content: `2 ${process.pid}\n`, cloexec: true });
    expect(await open(viewFile('/x', () => Buffer.of(0xff, 0)), 0)).toMatchObject({ kind: 'fd' });
    expect(await open(viewFile('/x', () => ''), 0)).toMatchObject({ kind: 'fd', content: '' });
  });

  it('is not there where there is no content, and EIO where that fails', async () => {
    const none = viewFile('/x', () => undefined);
    expect(await open(none, 0)).toMatchObject({ kind: 'errno', errno: 'ENOENT' });
    expect(none.stat!({ asker, subject: asker, name: '/x' })).toBeUndefined();
    expect(await open(viewFile('/x', () => { throw new Error('no'); }), 0)).toMatchObject({ kind: 'errno', errno: 'EIO' });
  });

  it('may take a while to be found out, and is EIO where that fails', async () => {
    const { signal } = new AbortController();
    const late = (view: View) => view.stat!({ asker, subject: asker, name: view.path }) as Late<ViewStat>;
    const view = viewFile('/x', () => async () => 'late');
    expect(await open(view, 0)).toMatchObject({ kind: 'fd', content: 'late' });
    expect(await late(view)(signal)).toEqual({ mode: S_IFREG | 0o444, size: 4 });
    const failing = viewFile('/x', () => async () => { throw new Error('no'); });
    expect(await open(failing, 0)).toMatchObject({ kind: 'errno', errno: 'EIO' });
    await expect(late(failing)(signal)).rejects.toThrow('no');
  });

  it('is told when it is not wanted any more, and is not found out for a call that may not wait', async () => {
    const signals: AbortSignal[] = [];
    const view = viewFile('/x', () => (signal) => new Promise((_, reject) => {
      signals.push(signal);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }));
    const { listener } = new Supervised(opening(view));
    const calls = Array.from({ length: 65 }, () => listener.notify('openat', { pid: process.pid, args: [AT_FDCWD, 0, 0] }));
    expect(await calls[64]!.answered).toMatchObject({ errno: 'EAGAIN' });
    expect(signals.map(({ aborted }) => aborted)).toEqual(Array(64).fill(false));
    listener.withdraw(calls[1]!);
    await expect.poll(() => signals.flatMap(({ aborted }, i) => (aborted ? [i] : [])), { timeout: 10_000 }).toEqual([1]);
  });

  it('is read-only, sealed, and stands at the start', () => {
    const view = viewFile('/x', () => 'text');
    const answer = view.open({ asker, subject: asker, name: view.path, flags: 0, mayWrite: true });
    if (answer.kind !== 'injectFdSend') throw new Error(answer.kind);
    const { fd } = answer.owned;
    try {
      expect(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]).toMatch(/^0[0-7]*0$/);
      expect(fstatSync(fd).mode).toBe(S_IFREG | 0o444);
      expect(view.stat!({ asker, subject: asker, name: view.path })).toEqual({ mode: S_IFREG | 0o444, size: fstatSync(fd).size });
      expect(() => writeSync(fd, 'x')).toThrow('EBADF');
      expect(readSync(fd, Buffer.alloc(9))).toBe(4);
      // Who may write whatever the mode says is kept from it by the seal.
      const again = process.getuid!() === 0 ? openSync(`/proc/self/fd/${fd}`, 'r+') : undefined;
      if (again !== undefined) expect(() => writeSync(again, 'x')).toThrow('EPERM');
      if (again !== undefined) closeSync(again);
    } finally {
      answer.discard();
    }
  });

  it.each([
    [O_WRONLY, 'EACCES'], [O_RDWR, 'EACCES'], [O_TRUNC, 'EACCES'], [O_RDWR | O_CREAT, 'EACCES'], [O_CREAT | O_EXCL, 'EEXIST'],
    [O_DIRECTORY, 'ENOTDIR'], [O_DIRECTORY | O_PATH, 'ENOTDIR'], [O_DIRECTORY | O_WRONLY, 'ENOTDIR'], [O_TMPFILE | O_RDWR, 'ENOTDIR'],
  ])('refuses flags %i with %s', async (flags, errno) => {
    expect(await open(viewFile('/x', () => ''), flags)).toMatchObject({ kind: 'errno', errno });
  });

  it('can be had as a mere place', async () => {
    expect(await open(viewFile('/x', () => 'text'), O_PATH | O_RDWR)).toMatchObject({ kind: 'fd' });
  });

  it('fails with EIO where there is no content, never with what the machine has', async () => {
    expect(await open(viewFile('/x', () => { throw new Error('none'); }), 0)).toMatchObject({ kind: 'errno', errno: 'EIO' });
  });
});
