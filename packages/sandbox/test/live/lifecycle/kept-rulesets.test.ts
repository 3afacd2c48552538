/**
 * Rulesets that serve the next start as well, and what they do not serve: other files under the same names.
 */
import { isOpenFd } from '@sandlock/sys';
import { existsSync, fstatSync, mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { READ_RIGHTS } from '../../../src/landlock/access-rights.js';
import type { LandlockPlan, PathRule } from '../../../src/landlock/landlock-plan.js';
import { withRuleset } from '../../../src/run/kept-rulesets.js';
import { box } from './support.js';

const SETTLED_MS = 3_200;
const RIGHTS = READ_RIGHTS & ((1n << 13n) - 1n); // those of the first ABI

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'sandlock-kept-')); });
afterAll(() => rmSync(folder, { recursive: true }));

function made(name: string, content: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'file'), content);
  return path;
}

function plan(...rules: { path: string; names?: string[] }[]): LandlockPlan {
  const pathRules: PathRule[] = rules.map(({ path, names }) => ({
    path: Buffer.from(path), access: RIGHTS, optional: false, from: 'fsReadable[0]', ...(names && { names: Buffer.from(names.map((name) => `${name}\0`).join('')) }),
  }));
  return { handledFs: RIGHTS, handledNet: 0n, scoped: 0n, portRules: [], pathRules } as unknown as LandlockPlan;
}

const rulesetOf = (wanted: LandlockPlan): number => withRuleset(wanted, (fd) => {
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toContain('landlock-ruleset');
  return fd;
});

describe('a ruleset', () => {
  it('is kept for the same plan on the same files, and no longer', async () => {
    const path = made('same', '');
    const fresh = rulesetOf(plan({ path, names: ['file'] }));
    expect(isOpenFd(fresh)).toBe(false); // the next change might not be seen
    await sleep(SETTLED_MS);
    const kept = rulesetOf(plan({ path, names: ['file'] }));
    expect(isOpenFd(kept)).toBe(true);
    expect(rulesetOf(plan({ path, names: ['file'] }))).toBe(kept);
    expect(rulesetOf(plan({ path }))).not.toBe(kept);
    writeFileSync(join(path, 'more'), '');
    expect(rulesetOf(plan({ path, names: ['file'] }))).not.toBe(kept);
  });

  it('is given back when four others were used since', async () => {
    const paths = Array.from({ length: 5 }, (_, i) => made(`many-${i}`, ''));
    await sleep(SETTLED_MS);
    const inodes = new Map(paths.map((path) => [path, rulesetOf(plan({ path }))]));
    const [first, ...rest] = inodes.values();
    expect(new Set(inodes.values()).size).toBe(inodes.size);
    expect(rest.every(isOpenFd)).toBe(true);
    expect(isOpenFd(first!) && fstatSync(first!).isFile() && readlinkSync(`/proc/self/fd/${first}`).includes('landlock-ruleset')).toBe(false);
  });

  it('is not kept when what it is for throws before it is made, and serves again when that throws later', async () => {
    const path = made('throws', '');
    await sleep(SETTLED_MS);
    let seen = -1;
    expect(() => withRuleset(plan({ path }), (fd) => {
      seen = fd;
      throw new Error('later');
    })).toThrow('later');
    expect(rulesetOf(plan({ path }))).toBe(seen);
    expect(() => withRuleset(plan({ path: join(folder, 'missing') }), () => 0)).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_CONFIG' }) as Error);
  });
});

describe('a sandbox that is used again', () => {
  it('grants what its paths lead to by then, and nothing that they have led to before', async () => {
    const path = made('granted', 'the first');
    const aside = join(folder, 'aside');
    const sandbox = box({ fsReadable: ['/usr', { path: '/lib', optional: true }, { path: '/lib64', optional: true }, { path: '/bin', optional: true }, path] });
    const cat = async (file: string) => {
      const { stdout, exitCode } = await sandbox.run(['cat', file]);
      return [String(stdout), exitCode];
    };
    await sleep(SETTLED_MS);
    expect(await cat(join(path, 'file'))).toEqual(['the first', 0]);
    expect(await cat(join(path, 'file'))).toEqual(['the first', 0]);

    renameSync(path, aside);
    made('granted', 'the second');
    expect(existsSync(join(aside, 'file'))).toBe(true);
    expect(await cat(join(path, 'file'))).toEqual(['the second', 0]);
    expect(await cat(join(aside, 'file'))).toEqual(['', 1]);

    // The number of an inode is used again on some file systems. What is there now is granted all the same.
    const before = statSync(path).ino;
    for (let n = 0; n < 20 && (n === 0 || statSync(path).ino !== before); n++) {
      rmSync(path, { recursive: true });
      made('granted', 'the third');
    }
    expect(await cat(join(path, 'file'))).toEqual(['the third', 0]);
  }, 30_000);
});
