import { linkSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PathSet } from '../src/index.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'path-set-')));
  writeFileSync(join(folder, 'file'), 'x');
  mkdirSync(join(folder, 'directory'));
  symlinkSync('file', join(folder, 'link'));
});
afterEach(() => { rmSync(folder, { recursive: true }); });

const at = (name: string) => join(folder, name);

describe('PathSet', () => {
  it('says what each path leads to, in their order', () => {
    const looks = new PathSet([at('link'), at('missing'), at('directory/../file')], [at('directory')]).look().list();
    const file = lstatSync(at('file'), { bigint: true });
    const directory = lstatSync(at('directory'), { bigint: true });
    expect(looks.map(({ real }) => real && Buffer.from(real).toString())).toEqual([at('file'), undefined, at('file'), at('directory')]);
    expect(looks.map(({ dev, ino }) => ({ dev, ino }))).toEqual([
      { dev: file.dev, ino: file.ino }, { dev: 0n, ino: 0n }, { dev: file.dev, ino: file.ino }, { dev: directory.dev, ino: directory.ino },
    ]);
    expect(looks[3]!.timeNs).toBe(directory.ctimeNs);
    expect(looks[0]!.timeNs).toBe(file.birthtimeNs === 0n ? file.ctimeNs : file.birthtimeNs);
  });

  it('takes names of any bytes', () => {
    const name = Buffer.concat([Buffer.from(folder), Buffer.from([0x2f, 0xff, 0xfe])]);
    writeFileSync(name, '');
    expect(Buffer.from(new PathSet([name]).look().list()[0]!.real!).equals(name)).toBe(true);
    expect(() => new PathSet(['/etc\0'])).toThrow('EINVAL');
  });

  it('is the same as long as nothing is moved', () => {
    const set = new PathSet([at('link'), at('missing')], [at('directory')]);
    const before = set.look();
    expect(set.look().equals(before)).toBe(true);
    writeFileSync(at('file'), 'more'); // what is in a file matters to nobody here
    expect(set.look().equals(before)).toBe(true);
  });

  it.each<[string, () => void]>([
    ['a link leads elsewhere', () => { rmSync(at('link')); symlinkSync('directory', at('link')); }],
    ['a link leads to the same by another name', () => { linkSync(at('file'), at('other')); rmSync(at('link')); symlinkSync('other', at('link')); }],
    ['a missing one is there', () => { writeFileSync(at('missing'), ''); }],
    ['one is gone', () => { rmSync(at('file')); }],
    ['another takes its place', () => { writeFileSync(at('new'), ''); renameSync(at('new'), at('file')); }],
    ['a directory that may change has a new entry', () => { writeFileSync(at('directory/entry'), ''); }],
  ])('is not the same when %s', async (_, change) => {
    const set = new PathSet([at('link'), at('missing'), at('file')], [at('directory')]);
    const before = set.look();
    await setTimeout(20); // more than the grain of the file system's clock
    change();
    expect(set.look().equals(before)).toBe(false);
  });

  it('does not mind an entry of a directory that is told by its birth', async () => {
    if (statSync(folder, { bigint: true }).birthtimeNs === 0n) return;
    const set = new PathSet([at('directory')]);
    const before = set.look();
    await setTimeout(20);
    writeFileSync(at('directory/entry'), '');
    expect(set.look().equals(before)).toBe(true);
  });
});
