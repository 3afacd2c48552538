/**
 * A directory that is moved while a path is followed through it: `..` then leads elsewhere than the letters say.
 *
 * The move is made on the way, at a component, as another thread of a target would with luck.
 */
import { action, type Family } from '@sandlock/dispatch';
import type * as Sys from '@sandlock/sys';
import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from '@sandlock/sys';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { openOnBehalf } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

const onTheWay = vi.hoisted(() => ({ at: undefined as string | undefined, then: () => {} }));

vi.mock('@sandlock/sys', async (original) => {
  const sys = await original<typeof Sys>();
  const watched = <A extends unknown[], R>(call: (...args: A) => R) => (...args: A): R => {
    if (String(args[1]) === onTheWay.at) onTheWay.then();
    return call(...args);
  };
  return { ...sys, openat: watched(sys.openat), openat2: watched(sys.openat2) };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'builtins-moved-'));
  mkdirSync(join(folder, 'granted/deep/below/turn'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'outside');
  writeFileSync(join(folder, 'granted/secret'), 'inside');
  symlinkSync('below', join(folder, 'granted/deep/link'));
});
afterEach(async () => {
  onTheWay.at = undefined;
  await closeAll();
  rmSync(folder, { recursive: true });
});

/** What handlers commonly do: everything beneath one directory, and nothing else. */
function target(judged: string[]): Supervised {
  const family: Family = {
    name: 'beneath',
    handlers: {
      openat: (context) => openOnBehalf(context, ({ path }) => {
        judged.push(path);
        return path.startsWith(`${folder}/granted/`) ? undefined : action.errno('EACCES');
      }),
    },
  };
  return new Supervised(family);
}

/** Out of `granted/deep/below` while the path stands in it, one level up. */
function moveAt(component: string): void {
  onTheWay.at = component;
  onTheWay.then = () => {
    onTheWay.at = undefined;
    renameSync(join(folder, 'granted/deep/below'), join(folder, 'granted/below'));
  };
}

const THROUGH = 'granted/deep/link/turn/../../..';

describe('an open on behalf through a directory that is moved', () => {
  it('is judged by where it has come, not by its letters', async () => {
    const judged: string[] = [];
    const at = target(judged);
    const open = (name: string, flags: number) => at.call('openat', [-100, at.memory(`${folder}/${THROUGH}/${name}`), flags, 0o600]);
    expect(await open('secret', O_RDONLY)).toMatchObject({ kind: 'fd', content: 'inside' });
    expect(judged).toEqual([`${folder}/granted/secret`]);
    moveAt('turn');
    expect(await open('secret', O_RDONLY)).toMatchObject({ kind: 'errno', errno: 'EACCES' });
    expect(judged[1]).toBe(`${folder}/secret`);
  });

  it('makes nothing outside, and writes nothing there', async () => {
    const judged: string[] = [];
    const at = target(judged);
    const open = (name: string, flags: number) => at.call('openat', [-100, at.memory(`${folder}/${THROUGH}/${name}`), flags, 0o600]);
    expect(await open('made', O_CREAT | O_EXCL | O_WRONLY)).toMatchObject({ kind: 'fd' });
    expect(existsSync(join(folder, 'granted/made'))).toBe(true);
    moveAt('turn');
    expect(await open('late', O_CREAT | O_EXCL | O_WRONLY)).toMatchObject({ kind: 'errno', errno: 'EACCES' });
    renameSync(join(folder, 'granted/below'), join(folder, 'granted/deep/below'));
    moveAt('turn');
    expect(await open('secret', O_WRONLY)).toMatchObject({ kind: 'errno', errno: 'EACCES' });
    expect(judged.slice(1)).toEqual([`${folder}/late`, `${folder}/secret`]);
    expect(existsSync(join(folder, 'late'))).toBe(false);
    expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe('outside');
  });
});
