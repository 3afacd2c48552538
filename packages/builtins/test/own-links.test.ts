/** Links of a target's own to files with a view, over a fake listener: the links are there, and the call that made one is notified or not. */
import { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_WRONLY } from '@sandlock/sys';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { hostname, viewFile, views, type ViewsOptions } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

const AT_FDCWD = -100;
const RESOLVE_NO_SYMLINKS = 0x04n;
const RESOLVE_BENEATH = 0x08n;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'builtins-links-'));
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'plain'), '');
  const links = {
    name: '/etc/hostname', etc: '/etc', again: 'name', up: `${'../'.repeat(20)}etc/hostname`, 'in/over': '../etc/hostname', missing: '/etc/sandlock-view', proc: '/proc',
    passwd: '/etc/passwd', itself: 'itself', nowhere: 'none', '\xff': '/etc/hostname', fd: '/proc/self/fd', slash: '/etc/hostname/',
  };
  for (const [name, text] of Object.entries(links)) symlinkSync(text, Buffer.from(join(folder, name), 'latin1'));
});
afterAll(() => { rmSync(folder, { recursive: true }); });
afterEach(closeAll);

function supervised(options: Partial<ViewsOptions> = {}): Supervised {
  return new Supervised(views({
    views: [...hostname({ name: 'box' }).views, viewFile('/etc/sandlock-view', () => 'here\n')], grants: { mayRead: () => true, mayWrite: () => true },
    members: { isMember: () => true, pids: () => [], count: () => 0 }, watchedFdBase: 0, procGranted: true, ...options,
  }));
}

/** After a call that made a link. */
async function withLink(call: 'symlink' | 'symlinkat' = 'symlink', options: Partial<ViewsOptions> = {}): Promise<Supervised> {
  const target = supervised(options);
  const text = target.memory('/etc/hostname');
  const at = target.memory('x');
  expect(await target.call(call, call === 'symlink' ? [text, at] : [text, AT_FDCWD, at])).toEqual({ kind: 'continue' });
  return target;
}

const here = (name: string): string => `${folder}/${name}`; // as it is, with its `..`
const goesOn = { kind: 'continue' };

describe('own links', () => {
  it.each(['name', 'again', 'etc/hostname', 'up', 'in/over', 'in/../name', 'proc/sys/kernel/hostname', 'proc/../etc/hostname', '\xff', 'etc/../etc/./hostname'])('lead to a view: %s', async (name) => {
    for (const call of ['symlink', 'symlinkat'] as const) {
      const before = supervised();
      const target = await withLink(call);
      const [at, how] = [target.memory(here(name)), target.memory(Buffer.alloc(24))];
      const opens = [['open', [at, 0]], ['openat', [AT_FDCWD, at, 0]], ['openat2', [AT_FDCWD, at, how, 24]]] as const;
      for (const [open, args] of opens) expect(await target.call(open, args)).toMatchObject({ content: 'box\n' });
      expect(await target.call('creat', [at, 0o644])).toMatchObject({ errno: 'EACCES' });
      // Nothing told this one that links count, but one to any directory might stand before `..`.
      const untold = await before.call('open', [before.memory(here(name)), 0]);
      expect(untold).toMatchObject(name.includes('/..') ? { content: 'box\n' } : goesOn);
    }
  });

  it('lead to a view of what the machine does not have', async () => {
    const target = await withLink();
    expect(await target.call('open', [target.memory(here('missing')), 0])).toMatchObject({ content: 'here\n' });
    expect(await target.call('open', [target.memory(here('etc/sandlock-view')), 0])).toMatchObject({ content: 'here\n' });
  });

  it('lead nowhere else than before', async () => {
    const target = await withLink();
    for (const name of ['plain', 'passwd', 'etc/passwd', 'itself', 'nowhere', 'none', 'plain/x', 'in', 'etc/none', 'name/x', '.']) {
      expect([name, await target.call('open', [target.memory(here(name)), 0])]).toEqual([name, goesOn]);
    }
    expect(await target.call('open', [target.memory(here('slash')), 0])).toMatchObject({ errno: 'ENOTDIR' });
  });

  it('are not followed where the flags say so', async () => {
    const target = await withLink();
    const name = target.memory(here('name'));
    const how = (resolve: bigint): bigint => {
      const bytes = Buffer.alloc(24);
      bytes.writeBigUInt64LE(resolve, 16);
      return target.memory(bytes);
    };
    for (const flags of [O_NOFOLLOW, O_CREAT | O_EXCL, O_CREAT | O_EXCL | O_WRONLY]) expect(await target.call('open', [name, flags])).toEqual(goesOn);
    expect(await target.call('openat2', [AT_FDCWD, name, how(RESOLVE_NO_SYMLINKS), 24])).toEqual(goesOn);
    const fd = openSync(folder, 'r');
    expect(await target.call('openat2', [fd, target.memory('name'), how(RESOLVE_BENEATH), 24])).toEqual(goesOn);
    expect(await target.call('openat', [fd, target.memory('name'), 0])).toMatchObject({ content: 'box\n' });
    closeSync(fd);
    // In the middle they are.
    expect(await target.call('open', [target.memory(here('etc/hostname')), O_NOFOLLOW])).toMatchObject({ content: 'box\n' });
    expect(await target.call('open', [target.memory(here('etc/hostname')), O_DIRECTORY])).toMatchObject({ errno: 'ENOTDIR' });
  });

  it('are followed by stat(2) and its like, where these are asked for', async () => {
    const target = await withLink();
    const stat = (name: string, call = 'stat') => target.call(call, [target.memory(here(name)), target.memory(Buffer.alloc(144))]);
    expect(await stat('missing')).toEqual({ kind: 'returnValue', value: 0n });
    expect(await stat('etc/sandlock-view', 'lstat')).toEqual({ kind: 'returnValue', value: 0n });
    expect(await stat('missing', 'lstat')).toEqual(goesOn);
    expect(await stat('passwd')).toEqual(goesOn);
    expect(await target.call('access', [target.memory(here('missing')), 4])).toEqual({ kind: 'returnValue', value: 0n });
    expect(await target.call('readlink', [target.memory(here('missing')), target.memory(Buffer.alloc(64)), 64])).toEqual(goesOn);
    const untold = supervised();
    expect(await untold.call('stat', [untold.memory(here('missing')), untold.memory(Buffer.alloc(144))])).toEqual(goesOn);
  });

  it('show nothing that is not granted', async () => {
    const target = await withLink('symlink', { grants: { mayRead: (path) => path === '/etc/sandlock-view', mayWrite: () => false } });
    expect(await target.call('open', [target.memory(here('name')), 0])).toMatchObject({ errno: 'EACCES' });
    expect(await target.call('open', [target.memory(here('missing')), 0])).toMatchObject({ content: 'here\n' });
    expect(await target.call('open', [target.memory(here('etc')), O_DIRECTORY])).toEqual(goesOn);
  });

  it('make new entries of divided directories be opened', async () => {
    const base = { views: [], knownEntries: [{ path: folder, entries: new Map([['in', null]]) }], directories: [folder] };
    symlinkSync('../plain', here('in/to-plain'));
    const target = await withLink('symlink', base);
    expect(await target.call('open', [target.memory(here('in/to-plain')), 0])).toMatchObject({ kind: 'fd' });
    const denied = await withLink('symlink', { ...base, grants: { mayRead: (path) => path !== here('plain'), mayWrite: () => false } });
    expect(await denied.call('open', [denied.memory(here('in/to-plain')), 0])).toMatchObject({ errno: 'EACCES' });
    const untold = supervised(base);
    expect(await untold.call('open', [untold.memory(here('in/to-plain')), 0])).toEqual(goesOn);
  });

  it('are made whatever their text is, which is not read', async () => {
    const target = supervised();
    expect(await target.call('symlinkat', [0x666000, AT_FDCWD, 0x666000])).toEqual(goesOn); // EFAULT
    expect(await target.call('open', [target.memory(here('name')), 0])).toMatchObject({ content: 'box\n' });
  });
});
