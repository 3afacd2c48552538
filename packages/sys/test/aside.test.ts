import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AT_FDCWD, close, listFilesAside, memfdCreate, O_DIRECTORY, openat, readDirectoryAside, readFileAside, fcntlDupFd, write } from '../src/index.js';

let directory: string;
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'aside-')); });
afterEach(() => { rmSync(directory, { recursive: true }); });

/** Whether the loop has turned before this has settled. */
async function turnsMeanwhile(work: Promise<unknown>): Promise<boolean> {
  let turned = false;
  setImmediate(() => { turned = true; });
  await work;
  return turned;
}

describe('readFileAside', () => {
  it('reads all of a file, or as much as was asked for', async () => {
    const path = join(directory, 'file');
    const content = Buffer.alloc(200_000, 'abc');
    writeFileSync(path, content);
    const [all, some] = [await readFileAside(path, 200_001), await readFileAside(path, 70_000)];
    expect([all.bytes.equals(content), all.complete]).toEqual([true, true]);
    expect([some.bytes.equals(content.subarray(0, 70_000)), some.complete]).toEqual([true, false]);
    expect((await readFileAside('/proc/self/status', 1 << 20)).bytes.toString()).toContain(`\nPid:\t${process.pid}\n`);
  });

  it('lets the loop go on', async () => {
    expect(await turnsMeanwhile(readFileAside('/proc/self/smaps', 1 << 24))).toBe(true);
  });

  it('fails with the errno of the kernel', async () => {
    await expect(readFileAside(join(directory, 'none'), 10)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'read' });
    await expect(readFileAside(directory, 10)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

describe('listFilesAside', () => {
  it('finds each file once that a process has open, with its blocks', async () => {
    const fd = memfdCreate('aside', 0);
    write(fd, Buffer.alloc(8192, 1));
    const again = fcntlDupFd(fd, 3);
    const { blocks, complete, looked } = await listFilesAside(process.pid, '/memfd:aside', 100_000);
    expect([[...blocks.values()], complete]).toEqual([[16], true]);
    expect(looked).toBeGreaterThan(4);
    expect((await listFilesAside(process.pid, '/memfd:beside', 100_000)).blocks.size).toBe(0);
    for (const each of [fd, again]) close(each);
    expect((await listFilesAside(process.pid, '/memfd:aside', 100_000)).blocks.size).toBe(0);
  });

  it('says so when there are more than it was to look at', async () => {
    const all = await listFilesAside(process.pid, 'x', 100_000);
    expect(await listFilesAside(process.pid, 'x', 3)).toMatchObject({ looked: 3, complete: false });
    expect(all.complete).toBe(true);
  });

  it('fails for a process that is not there', async () => {
    await expect(listFilesAside(2 ** 22 + 1, 'x', 10)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'getdents64' });
  });
});

describe('readDirectoryAside', () => {
  /** More than one call of getdents64(2) gives: long names, since making a file may take a millisecond. */
  const many = Array.from({ length: 400 }, (_, n) => `entry-${n}-`.padEnd(200, 'x'));

  const names = ({ records, starts }: Awaited<ReturnType<typeof readDirectoryAside>>): string[] => (
    Array.from(starts, (at) => records.toString('latin1', at + 19, records.indexOf(0, at + 19))));

  it('gives all entries by the bytes of their names, the directory itself and the one above first', async () => {
    const given = ['b', 'a', 'ab', '-', '...', '.a', 'B', '\u00e9', ...many];
    for (const name of given) writeFileSync(join(directory, name), '');
    mkdirSync(join(directory, 'z'));
    const fd = openat(AT_FDCWD, directory, O_DIRECTORY);
    const expected = [...given, 'z'].map((name) => Buffer.from(name)).sort(Buffer.compare).map((name) => name.toString('latin1'));
    expect(names(await readDirectoryAside(fd, 1 << 24))).toEqual(['.', '..', ...expected]);
    expect(names(await readDirectoryAside(fd, 1 << 24))).toEqual([]); // from where it stands
    close(fd);
  });

  it('fails where there is more than it was to read, or no directory', async () => {
    for (const name of many) writeFileSync(join(directory, name), '');
    const fd = openat(AT_FDCWD, directory, O_DIRECTORY);
    await expect(readDirectoryAside(fd, 65_536)).rejects.toMatchObject({ code: 'EFBIG' });
    close(fd);
    const file = openat(AT_FDCWD, '/etc/passwd', 0);
    await expect(readDirectoryAside(file, 1 << 24)).rejects.toMatchObject({ code: 'ENOTDIR' });
    close(file);
  });
});
