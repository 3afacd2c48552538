/**
 * Rulesets that serve the next start as well, and what they do not serve: other files under the same names.
 */
import { fcntlSetFlags, O_NONBLOCK } from '@sandlock/sys';
import { spawnSync } from 'node:child_process';
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { READ_RIGHTS } from '../../../src/landlock/access-rights.js';
import { judgedEntries } from '../../../src/landlock/judged-entries.js';
import type { LandlockPlan, PathRule } from '../../../src/landlock/landlock-plan.js';
import { LeasedRuleset } from '../../../src/run/kept-rulesets.js';
import { box, inContainer, targets } from './support.js';

const isRoot = process.getuid!() === 0;
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
    path: Buffer.from(path), access: RIGHTS, optional: false, from: 'fsReadable[0]', ...(names && {
      entries: judgedEntries(names, new Map(names.map((name) => [name, statSync(join(path, name), { bigint: true })]))),
    }),
  }));
  return { handledFs: RIGHTS, handledNet: 0n, scoped: 0n, portRules: [], pathRules } as unknown as LandlockPlan;
}

function withRuleset<T>(wanted: LandlockPlan, use: (fd: number) => T): T {
  const lease = new LeasedRuleset();
  lease.take(wanted);
  try {
    return use(lease.fd);
  } finally {
    lease.release();
  }
}

/** Whether the plan is served by a ruleset that this was said of before. Marked by a flag of the open file. */
const wasServed = (wanted: LandlockPlan): boolean => withRuleset(wanted, (fd) => {
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toContain('landlock-ruleset');
  const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!, 8);
  fcntlSetFlags(fd, O_NONBLOCK);
  return (flags & O_NONBLOCK) !== 0;
});
const openRulesets = (): number => readdirSync('/proc/self/fd').filter((fd) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).includes('landlock-ruleset');
  } catch {
    return false; // that of the listing
  }
}).length;

describe('a ruleset', () => {
  it('is kept for the same plan on the same files, and no longer', async () => {
    const path = made('same', '');
    const entry = plan({ path, names: ['file'] });
    expect([wasServed(entry), wasServed(entry)]).toEqual([false, false]); // the next change might not be seen
    await sleep(SETTLED_MS);
    expect([wasServed(entry), wasServed(entry)]).toEqual([false, true]);
    expect([wasServed(plan({ path })), wasServed(entry)]).toEqual([false, true]);
    writeFileSync(join(path, 'more'), '');
    expect(wasServed(entry)).toBe(false);
  });

  it('is given back when four others were used since', async () => {
    const paths = Array.from({ length: 5 }, (_, i) => made(`many-${i}`, ''));
    await sleep(SETTLED_MS);
    expect(paths.map((path) => wasServed(plan({ path })))).toEqual([false, false, false, false, false]);
    expect(openRulesets()).toBe(4);
    expect([4, 3, 2, 1, 0].map((i) => wasServed(plan({ path: paths[i]! })))).toEqual([true, true, true, true, false]);
    expect(openRulesets()).toBe(4);
  });

  it('serves again when what it was for throws, and none is kept that could not be made', async () => {
    const path = made('throws', '');
    await sleep(SETTLED_MS);
    expect(() => withRuleset(plan({ path }), (fd) => {
      fcntlSetFlags(fd, O_NONBLOCK);
      throw new Error('later');
    })).toThrow('later');
    expect(wasServed(plan({ path }))).toBe(true);
    const before = openRulesets();
    for (const wrong of [join(folder, 'missing'), join(path, 'file', 'beneath')]) {
      expect(() => withRuleset(plan({ path: wrong }), () => 0)).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_CONFIG' }) as Error);
    }
    expect(openRulesets()).toBe(before);
  });

  it('stays open for the start that has it, however many others are made meanwhile', async () => {
    const paths = Array.from({ length: 6 }, (_, i) => made(`within-${i}`, ''));
    await sleep(SETTLED_MS);
    const before = openRulesets();
    withRuleset(plan({ path: paths[0]! }), (fd) => {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      for (const path of paths.slice(1)) wasServed(plan({ path }));
      expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(link);
      expect(openRulesets()).toBe(5);
    });
    expect(openRulesets()).toBe(4);
    expect(before).toBeLessThanOrEqual(4);
  });

  it('is made for what was judged, or not at all', () => {
    const [path, other] = [made('judged', ''), made('other', '')];
    const { dev, ino } = statSync(other, { bigint: true });
    const rule = plan({ path }).pathRules[0]!;
    const before = openRulesets();
    for (const judged of [`${dev} ${ino}`, 'missing']) {
      expect(() => withRuleset({ ...plan(), pathRules: [{ ...rule, judged }] }, () => 0)).toThrow('was moved');
    }
    expect(openRulesets()).toBe(before);
  });

  it('does not serve a plan that only reads like its own', async () => {
    const [open, secret] = [made('open', ''), made('secret', '')];
    const stat = statSync(secret, { bigint: true });
    // Names with the other rule in them.
    const odd = ['\n', '","', ' '].map((between) => join(folder, `${between}${RIGHTS} ${stat.dev} ${stat.ino} ${stat.ctimeNs} ${secret.replaceAll('/', '_')}`));
    for (const name of odd) symlinkSync(open, name);
    await sleep(SETTLED_MS);
    expect(wasServed(plan({ path: open }, { path: secret }))).toBe(false);
    expect(odd.map((path) => wasServed(plan({ path })))).toEqual([false, false, false]);
    // None of the entries of a directory is not all of it.
    expect([wasServed(plan({ path: open })), wasServed(plan({ path: open, names: [] }))]).toEqual([false, false]);
  });

  it('serves what its rules were made with, whatever the path led to just before', async () => {
    const [first, second, link] = [made('first', ''), made('second', ''), join(folder, 'way')];
    const lead = (to: string): void => {
      rmSync(link, { force: true });
      symlinkSync(to, link);
    };
    lead(first);
    await sleep(SETTLED_MS);
    const rule = plan({ path: link }).pathRules[0]!;
    // Whoever turns the link does so between any two looks at the path; the rule is made with the second one.
    let looks = 0;
    const turned = { ...plan(), pathRules: [{ ...rule, get path() {
      lead(looks++ % 2 === 0 ? first : second);
      return rule.path;
    } }] };
    wasServed(turned);
    lead(first);
    const onFirst = wasServed(plan({ path: link }));
    expect(looks).toBeGreaterThan(1);
    lead(second);
    const onSecond = wasServed(plan({ path: link }));
    expect([onFirst, onSecond]).toEqual([false, false]);
  });
});

describe('a sandbox that is used again', () => {
  it.skipIf(!isRoot || inContainer)('grants what is mounted by then, and nothing that was [needs root, no container]', () => {
    const script = join(targets, 'kept-over-mounts.mjs');
    const { stdout, stderr } = spawnSync('unshare', ['--mount', process.execPath, script, mkdtempSync(join(folder, 'mounts-'))], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const denied = 'Permission denied';
    expect(JSON.parse(stdout)).toEqual({
      before: ['data', 'data', 'data', 'No such file or directory'], // it is the same directory by both names
      after: ['No such file or directory', denied, 'mounted later'],
      renamed: [denied, denied, 0, denied, denied],
    });
  });

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
