import { lstatSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ancestry, listEntries, listNames } from '../src/index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandlock-entries-'));
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'link'));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff, 0x0a)]), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the entries of a directory', () => {
  it('are told with what each is, links themselves, names by their bytes', () => {
    for (const path of [folder, '/dev', '/etc']) {
      const expected = readdirSync(path, 'latin1').map((name) => {
        const { dev, ino, rdev, mode } = lstatSync(Buffer.from(`${path}/${name}`, 'latin1'), { bigint: true });
        return [name, { dev, ino, rdev, mode }];
      });
      const { directory, entries } = listEntries(path);
      expect(Object.fromEntries(entries)).toEqual(Object.fromEntries(expected));
      const { dev, ino, ctimeNs } = statSync(path, { bigint: true });
      expect(directory).toEqual({ dev, ino, ctimeNs });
      expect(listNames(path)).toEqual({ directory, names: [...entries.keys()] });
    }
    expect([...listEntries(folder).entries.keys()].sort()).toEqual(['empty', 'file', 'link', '\xff\n'].sort());
    // Where the file system tells, and most do.
    expect([...listEntries(folder, { links: false }).entries.keys()].sort()).toEqual(['empty', 'file', '\xff\n'].sort());
  });

  it('are none, or the reason why they cannot be had', () => {
    expect(listEntries(join(folder, 'empty')).entries.size).toBe(0);
    expect(() => listEntries(join(folder, 'file'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }) as Error);
    expect(() => listEntries(join(folder, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }) as Error);
  });
});

describe('what is above a name', () => {
  const identity = ({ dev, ino }: { dev: bigint; ino: bigint }) => `${dev} ${ino}`;
  const upwards = (path: string): string[] => (path === '/' ? [path] : [path, ...upwards(dirname(path))]);

  it('is told by device and inode up to the root, with what the name stands for', () => {
    for (const path of [join(folder, 'file'), join(folder, 'link'), folder, '/proc', '/proc/1/status', '/dev/null', '/']) {
      const { dev, ino, rdev, mode } = lstatSync(path, { bigint: true });
      const found = ancestry(path);
      expect(found).toMatchObject({ dev, ino, rdev, mode });
      expect(found.above.map(identity)).toEqual(upwards(path === '/' ? '/' : dirname(path)).map((each) => identity(statSync(each, { bigint: true }))));
    }
  });

  it('comes with the number that a mount has in the table', () => {
    const table = new Map(readFileSync('/proc/self/mountinfo', 'latin1').split('\n').map((line) => line.split(' ')).map((fields) => [fields[4], Number(fields[0])]));
    const { mountId, above } = ancestry('/proc');
    expect([mountId, ...above.map((each) => each.mountId)]).toEqual([table.get('/proc'), table.get('/')]);
  });

  it('stays the same whatever the directories are called', () => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    linkSync(join(folder, 'file'), join(folder, 'a/b/file'));
    const before = ancestry(join(folder, 'a/b/file'));
    renameSync(join(folder, 'a'), join(folder, 'c'));
    expect(ancestry(join(folder, 'c/b/file'))).toEqual(before);
    expect(() => ancestry(join(folder, 'a/b/file'))).toThrow(expect.objectContaining({ code: 'ENOENT' }) as Error);
    expect(() => ancestry(join(folder, 'file', 'x'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }) as Error);
    rmSync(join(folder, 'c'), { recursive: true });
  });
});
