import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listEntries } from '../src/index.js';

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
      expect(Object.fromEntries(listEntries(path))).toEqual(Object.fromEntries(expected));
    }
    expect([...listEntries(folder).keys()].sort()).toEqual(['empty', 'file', 'link', '\xff\n'].sort());
  });

  it('are none, or the reason why they cannot be had', () => {
    expect(listEntries(join(folder, 'empty')).size).toBe(0);
    expect(() => listEntries(join(folder, 'file'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }) as Error);
    expect(() => listEntries(join(folder, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }) as Error);
  });
});
