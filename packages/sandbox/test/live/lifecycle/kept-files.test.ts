/**
 * What one start finds of the granted files serves the next one, and nothing that has changed since.
 */
import { nativeArch } from '@sandlock/bpf';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { mountTable, readMountTable, type MountTable } from '../../../src/landlock/mount-table.js';
import type { PathRule } from '../../../src/landlock/landlock-plan.js';
import { identityOf } from '../../../src/landlock/identities.js';
import { buildPolicy } from '../../../src/policy/build-policy.js';
import { RealPaths } from '../../../src/policy/real-paths.js';
import { KeptFiles, type FoundFiles } from '../../../src/run/kept-files.js';
import { box } from './support.js';

vi.mock('../../../src/landlock/mount-table.js', { spy: true });

const SETTLED_MS = 3_200;
const SYSTEM = ['/usr', '/etc', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];

let folder: string;
beforeAll(() => { folder = realpathSync(mkdtempSync(join(tmpdir(), 'sandlock-kept-files-'))); });
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.resetAllMocks();
});

function made(name: string, content = name): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'file'), content);
  return path;
}

describe('a sandbox', () => {
  /** Whether each start was served by what the one before had found. */
  function watched(): boolean[] {
    const served: boolean[] = [];
    const find = KeptFiles.prototype.find;
    vi.spyOn(KeptFiles.prototype, 'find').mockImplementation(function (this: KeptFiles, copies) {
      const found = find.call(this, copies);
      served.push(found !== undefined);
      return found;
    });
    return served;
  }

  it('finds its files once', async () => {
    const path = made('once');
    await sleep(SETTLED_MS);
    const served = watched();
    const sandbox = box({ fsReadable: [...SYSTEM, path] });
    for (let n = 0; n < 4; n++) {
      writeFileSync(join(path, `other-${n}`), ''); // of what is in a grant as a whole nothing was found out
      expect(String((await sandbox.run(['cat', join(path, 'file'), join(path, `other-${n}`), '/etc/passwd'])).stdout)).toMatch(/^once[^]*root/);
    }
    expect(served).toEqual([false, false, true, true]); // the first might have been the only one
  }, 30_000);

  it('gives what a link leads to by then, and nothing of what it led to', async () => {
    const [first, second, link] = [made('first'), made('second'), join(folder, 'link')];
    symlinkSync(first, link);
    await sleep(SETTLED_MS);
    const served = watched();
    const sandbox = box({ fsReadable: [...SYSTEM, link] });
    const cat = async (...files: string[]) => String((await sandbox.run(['cat', ...files])).stdout);
    const both = [join(first, 'file'), join(second, 'file')];
    expect([await cat(...both), await cat(...both), await cat(...both)]).toEqual(['first', 'first', 'first']);
    rmSync(link);
    symlinkSync(second, link);
    expect(await cat(...both)).toBe('second');
    expect(served).toEqual([false, false, true, false]);
  }, 30_000);

  it('gives what has come, and refuses to start without what is gone', async () => {
    const [needed, optional, cwd] = [made('needed'), join(folder, 'optional'), made('cwd')];
    await sleep(SETTLED_MS);
    const sandbox = box({ fsReadable: [...SYSTEM, needed, cwd, { path: optional, optional: true }], cwd });
    const cat = async () => String((await sandbox.run(['cat', 'file', join(optional, 'file')])).stdout);
    expect([await cat(), await cat(), await cat()]).toEqual(['cwd', 'cwd', 'cwd']);
    made('optional');
    expect(await cat()).toBe('cwdoptional');
    await sleep(SETTLED_MS);
    expect([await cat(), await cat()]).toEqual(['cwdoptional', 'cwdoptional']);
    rmSync(cwd, { recursive: true });
    await expect(cat()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: 'fsReadable[6]' }, { path: 'cwd' }] });
    made('cwd');
    rmSync(needed, { recursive: true });
    await expect(cat()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: 'fsReadable[5]' }] });
  }, 30_000);
});

describe('what was found', () => {
  let granted: string;
  let listed: string;
  const directory = (path: string, judged = identityOf(statSync(path, { bigint: true }))): PathRule => (
    { path: Buffer.from(path), access: 0n, optional: false, from: 'fsReadable[0]', judged });

  beforeAll(async () => {
    [granted, listed] = [made('granted'), made('listed')];
    await sleep(SETTLED_MS);
  });

  interface Case {
    readonly rules?: readonly PathRule[];
    readonly grant?: string;
    readonly real?: RealPaths;
    readonly mounts?: MountTable;
    readonly beganMs?: number;
    readonly isLasting?: boolean;
  }

  function kept({ rules = [directory(granted), directory(listed)], grant = granted, real = new RealPaths(), mounts = mountTable(), beganMs = Date.now(), isLasting = true }: Case = {}): KeptFiles {
    const { policy } = buildPolicy({ fsReadable: [grant] }, nativeArch(process.arch));
    const files = new KeptFiles(policy);
    const found = {
      fs: policy.fs, views: ['/proc/meminfo', '/etc/hosts'],
      granted: { landlock: { pathRules: rules }, served: { readable: [], writable: [], directories: [listed], knownEntries: [] }, isLasting },
    } as unknown as FoundFiles;
    files.keep('taken', found, real, mounts, beganMs);
    return files;
  }

  it('is kept, for starts that have the same network', () => {
    const files = kept();
    expect(files.find('taken')).toBeDefined();
    expect(files.find('taken')).toBeDefined();
    expect(files.find('kept')).toBeUndefined();
  });

  it('is not kept where a rule was made for something that is not there', () => {
    expect(kept({ rules: [directory(granted, identityOf(statSync(listed, { bigint: true })))] }).find('taken')).toBeUndefined();
    expect(kept({ rules: [directory(granted, 'missing')] }).find('taken')).toBeUndefined();
    expect(kept({ rules: [directory(dirname(folder))] }).find('taken')).toBeUndefined(); // nor where no look was taken at it
  });

  it('is not kept where a grant was taken to lead elsewhere', () => {
    const real = new RealPaths();
    vi.spyOn(real, 'of').mockReturnValue(listed);
    expect(kept({ real }).find('taken')).toBeUndefined();
  });

  it('is not kept where a look above a procfs was refused', () => {
    expect(kept({ isLasting: false }).find('taken')).toBeUndefined();
  });

  it('is not kept where the next change might have the same time', () => {
    expect(kept({ beganMs: Number(statSync(listed, { bigint: true }).ctimeNs / 1_000_000n) + 1_000 }).find('taken')).toBeUndefined();
  });

  it('is for the mounts of then', () => {
    const files = kept();
    vi.mocked(readMountTable).mockReturnValueOnce([...mountTable()]);
    expect(files.find('taken')).toBeUndefined();
    expect(kept({ mounts: [...mountTable()] }).find('taken')).toBeUndefined(); // those of before
  });

  it.each([['/aside', true], ['/srv/some/where', false]])('is kept only where nothing above a procfs can be renamed: %s', (path, isKept) => {
    const root = mountTable().find((mount) => mount.path === '/')!;
    const table: MountTable = [...mountTable(), { id: 1 << 30, parent: root.id, path, type: 'proc', device: '0:999', root: '/' }];
    vi.mocked(mountTable).mockReturnValue(table);
    vi.mocked(readMountTable).mockReturnValue(table);
    expect(kept().find('taken') !== undefined).toBe(isKept);
  });

  it.each(['/', '/sys', '/sys/kernel'])('is not kept near a file system whose directories change without a sign: %s', (grant) => {
    expect(kept({ grant, rules: [] }).find('taken')).toBeUndefined();
  });

  it('serves nobody once a directory that was listed has another entry, or is another one', async () => {
    const files = kept();
    writeFileSync(join(listed, 'new'), '');
    expect(files.find('taken')).toBeUndefined();
    await sleep(SETTLED_MS);
    const again = kept();
    expect(again.find('taken')).toBeDefined();
    renameSync(listed, `${listed}-aside`);
    made('listed');
    expect(again.find('taken')).toBeUndefined();
  }, 30_000);
});
