/**
 * Another program renames what is above a procfs while this one is being started: between any two looks at the files.
 *
 * The mount is told of by the table and by its number alone, so that this needs neither rights nor a namespace; what Landlock then
 * gives is the kernel's to say. What does it with a procfs and a program that renames without a pause: exchange.test.ts.
 */
import type * as Sys from '@sandlock/sys';
import { lstatSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';

import { Sandbox } from '../../../src/index.js';
import type * as Table from '../../../src/landlock/mount-table.js';
import { describeConfined } from './calls.js';

const MOUNT_ID = 987_654;
const DEVICE = 0xffn;
/** Called at each look; what is mounted on and in, and where the table says that it is. */
const seam = vi.hoisted(() => ({ look: () => {}, isMounted: true, inode: 0n, parent: 0, path: (): string => '' }));

vi.mock('@sandlock/sys', async (importActual) => {
  const real = await importActual<typeof Sys>();
  const looking = <Arguments extends unknown[], Result>(call: (...args: Arguments) => Result) => (...args: Arguments): Result => {
    seam.look();
    return call(...args);
  };
  return {
    ...real,
    listEntries: looking((path: Sys.PathLike) => {
      const { directory, entries } = real.listEntries(path);
      for (const [name, stat] of entries) entries.set(name, stat.ino === seam.inode ? { ...stat, dev: DEVICE } : stat);
      return { directory, entries };
    }),
    listNames: looking(real.listNames),
    openat: looking(real.openat),
    landlockAddPathRule: looking(real.landlockAddPathRule),
    landlockAddEntryRules: looking(real.landlockAddEntryRules),
    ancestry: looking((path: Sys.PathLike) => {
      const found = real.ancestry(path);
      return found.ino === seam.inode ? { ...found, mountId: MOUNT_ID } : found;
    }),
  };
});
vi.mock('../../../src/landlock/mount-table.js', async (importActual) => {
  const real = await importActual<typeof Table>();
  return {
    ...real,
    readMountTable: () => {
      seam.look();
      const mounts = real.readMountTable();
      return !seam.isMounted ? mounts : [...mounts, { id: MOUNT_ID, parent: seam.parent, path: seam.path(), type: 'proc', device: '0:255', root: '/' }];
    },
  };
});

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeEach(async () => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'sandlock-exchanged-'));
  folders.push(folder);
  for (const [name, word] of [['a/proc/1', 'SECRET'], ['b/proc/1', 'open'], ['c', 'beside']] as const) {
    mkdirSync(at(name), { recursive: true });
    writeFileSync(at(name, 'say'), `#!/bin/sh\necho -n ${word}\n`, { mode: 0o755 });
  }
  seam.look = () => {};
  seam.inode = inodeOf(at('a/proc'));
  seam.parent = (await vi.importActual<typeof Sys>('@sandlock/sys')).ancestry(folder).mountId;
  seam.path = () => at(inodeOf(at('a/proc')) === seam.inode ? 'a' : 'b', 'proc');
});

const inodeOf = (path: string): bigint => lstatSync(path, { bigint: true }).ino;

function exchange(): void {
  renameSync(at('a'), at('.between'));
  renameSync(at('b'), at('a'));
  renameSync(at('.between'), at('b'));
}

const system = ['/usr', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];

/** What a program executes under both names, whichever is which: nobody does that on its behalf. */
async function said(fsReadable: readonly string[], fsWritable: readonly string[] = []): Promise<string> {
  const sandbox = new Sandbox({ fsReadable: [...system, ...fsReadable], fsWritable: [...fsWritable] });
  const result = sandbox.run(['sh', '-c', '"$1"; "$2"; "$3"', '-', ...['c', 'a/proc/1', 'b/proc/1'].map((name) => at(name, 'say'))], { timeout: 20_000 });
  seam.look = () => {}; // the rules are made by now
  return String((await result).stdout);
}

/** Starts a program for each look that a start takes, with a change made just before that one, and perhaps one before the next. */
async function atEachLook(change: () => void, start: () => Promise<string>, back?: () => void): Promise<string[]> {
  const all: string[] = [];
  for (let looks = Infinity, n = 0; looks > n; n++) {
    looks = 0;
    seam.look = () => {
      const look = looks++;
      if (look === n) change();
      if (look === n + 1) back?.();
    };
    all.push(await start());
  }
  expect(all.length).toBeGreaterThan(10);
  return all;
}

describeConfined('a program that is started while directories above a procfs are exchanged', () => {
  it('reads beside it and nothing in it, at whichever look that happens', async () => {
    const all = await atEachLook(exchange, () => said([folder]));
    expect(all.filter((text) => text.includes('SECRET'))).toEqual([]);
    expect(all.filter((text) => !text.includes('beside'))).toEqual([]);
    expect(all.at(-1)).toBe('besideopen');
  }, 120_000);

  it('reads nothing in it where the directory was granted for writing', async () => {
    const all = await atEachLook(exchange, () => said([], [folder]));
    expect(all.filter((text) => text.includes('SECRET') || !text.includes('beside'))).toEqual([]);
  }, 120_000);

  it('reads nothing in it where they are exchanged for one look only', async () => {
    for (const [readable, writable] of [[[folder], []], [[], [folder]], [[at('b'), at('c')], []]] as const) {
      const all = await atEachLook(exchange, () => said(readable, writable), exchange);
      expect(all.filter((text) => text.includes('SECRET') || !text.includes('beside'))).toEqual([]);
    }
  }, 120_000);

  it('reads nothing in it where only the other one was granted', async () => {
    const all = await atEachLook(exchange, () => said([at('b'), at('c')]));
    expect(all.filter((text) => text.includes('SECRET') || !text.includes('beside'))).toEqual([]);
    expect(all.at(-1)).toContain('open');
  }, 120_000);

  it('reads nothing in it where a link leads elsewhere by then', async () => {
    symlinkSync('b', at('link'));
    const lead = (to: string): void => {
      rmSync(at('link'));
      symlinkSync(to, at('link'));
    };
    const all = await atEachLook(() => lead('a'), () => {
      lead('b');
      return said([at('link'), at('c')]);
    });
    expect(all.filter((text) => text.includes('SECRET') || !text.includes('beside'))).toEqual([]);
    expect(all.at(-1)).toBe('besideopen');
  }, 120_000);

  it('is not started where they are exchanged at every look', async () => {
    seam.look = exchange;
    await expect(said([folder])).rejects.toMatchObject({ name: 'ConfinementError', code: 'ERR_SANDLOCK_FILES_MOVING' });
    seam.look = () => {};
    expect(await said([folder])).toContain('beside');
  }, 60_000);

  it('could read it if it were not for the mount', async () => {
    seam.isMounted = false;
    expect(await said([folder])).toBe('besideSECRETopen');
  });
});
