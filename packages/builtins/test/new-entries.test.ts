import { AT_FDCWD, close, O_NOFOLLOW, O_PATH, openat } from '@sandlock/sys';
import { spawnSync } from 'node:child_process';
import { fstatSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NewEntries } from '../src/views/new-entries.js';

let directory: string;
let server: Server | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'builtins-entries-'));
  mkdirSync(join(directory, 'kept/below'), { recursive: true });
  writeFileSync(join(directory, 'file'), '');
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

const known = () => new NewEntries([
  { path: directory, entries: new Map([['kept', null], ['file', lstatSync(join(directory, 'file'), { bigint: true })]]) },
  { path: join(directory, 'kept/below'), entries: new Map() },
]);

function serves(entries: NewEntries, path: string): boolean {
  const fd = openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW);
  try {
    return entries.serves(path, fd, fstatSync(fd));
  } finally {
    close(fd);
  }
}

describe('new entries of a directory', () => {
  it('are those that it did not have, all beneath them, and what has taken the place of one', () => {
    const entries = known();
    const are = (...names: string[]) => names.map((name) => entries.has(join(directory, name)));
    expect(are('new', 'new/deep', 'fil', 'kept/below/new')).toEqual([true, true, true, true]);
    expect(are('', 'file', 'file/x', 'kept', 'kept/new', 'kept/below')).toEqual([false, false, false, false, false, false]);
    expect([entries.has('/'), entries.has(`${directory}.other`)]).toEqual([false, false]);
    writeFileSync(join(directory, 'other'), '');
    renameSync(join(directory, 'other'), join(directory, 'file'));
    expect(are('file')).toEqual([true]);
  });

  it('are opened if they are files, directories and FIFOs, and nothing else', async () => {
    const entries = known();
    const at = (name: string): string => join(directory, name);
    writeFileSync(at('new'), '');
    mkdirSync(at('folder'));
    symlinkSync('new', at('link'));
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    server = createServer().listen(at('socket'));
    await new Promise((resolve) => { server!.once('listening', resolve); });
    expect(['new', 'folder', 'fifo', 'link', 'socket', 'file'].map((name) => serves(entries, at(name)))).toEqual([true, true, true, false, false, false]);
    expect(serves(new NewEntries([{ path: '/dev', entries: new Map() }]), '/dev/null')).toBe(false);
  });

  it('are made in the directory, and where it is not there any more nothing is', () => {
    const entries = known();
    const fd = openat(AT_FDCWD, directory, O_PATH);
    try {
      expect([entries.serves(join(directory, 'made'), fd, undefined), entries.serves(join(directory, 'kept/made'), fd, undefined)]).toEqual([true, false]);
      expect(new NewEntries([{ path: join(directory, 'none'), entries: new Map() }]).serves(join(directory, 'none/made'), fd, undefined)).toBe(false);
    } finally {
      close(fd);
    }
  });

  it('are none of another mount', () => {
    const all = new NewEntries([{ path: '/', entries: new Map() }]);
    expect([all.has('/proc/version'), serves(all, '/proc/version'), serves(all, '/proc/self/root/proc/version')]).toEqual([true, false, false]);
  });
});
