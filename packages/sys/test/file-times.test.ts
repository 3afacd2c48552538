import { closeSync, mkdtempSync, openSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AT_EMPTY_PATH, AT_FDCWD, fstat, O_NOFOLLOW, O_PATH, openat, STAT_BYTES, statx, STATX_BYTES, utimensat } from '../src/index.js';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'file-times-'));
  file = join(directory, 'file');
  writeFileSync(file, 'content');
});
afterEach(() => rmSync(directory, { recursive: true }));

const times = (seconds: number, nanoseconds: number): Buffer => {
  const bytes = Buffer.alloc(32);
  [seconds, nanoseconds, seconds, nanoseconds].forEach((value, i) => bytes.writeBigInt64LE(BigInt(value), i * 8));
  return bytes;
};

describe('what a file tells', () => {
  it('is laid out as the kernel lays it out', () => {
    const fd = openSync(file, 'r');
    const [stat, extended, real] = [Buffer.alloc(STAT_BYTES), Buffer.alloc(STATX_BYTES), statSync(file, { bigint: true })];
    expect(fstat(fd, stat)).toBe(0);
    expect([stat.readBigUInt64LE(8), stat.readBigInt64LE(88) * 1_000_000_000n + stat.readBigInt64LE(96)]).toEqual([real.ino, real.mtimeNs]);
    for (const [dirFd, path, flags] of [[fd, '', AT_EMPTY_PATH], [AT_FDCWD, file, 0]] as const) {
      expect(statx(dirFd, path, flags, 0x7ff, extended)).toBe(0);
      expect(extended.readBigInt64LE(112) * 1_000_000_000n + BigInt(extended.readUInt32LE(120))).toBe(real.mtimeNs);
    }
    expect(fstat(fd, Buffer.alloc(8))).toBe(-22);
    expect(statx(fd, '', AT_EMPTY_PATH, 0x7ff, Buffer.alloc(8))).toBe(-22);
    expect([fstat(9999, stat), statx(AT_FDCWD, `${file}s`, 0, 0, extended), statx(AT_FDCWD, file, 1, 0, extended)]).toEqual([-9, -2, -22]);
    closeSync(fd);
  });

  it('has times that can be set, also through a descriptor that only names it', () => {
    const link = join(directory, 'link');
    symlinkSync('file', link);
    const [ofFile, ofLink] = [openat(AT_FDCWD, file, O_PATH), openat(AT_FDCWD, link, O_PATH | O_NOFOLLOW)];
    expect(utimensat(AT_FDCWD, file, times(7, 8), 0)).toBe(0);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(7_000_000_008n);
    expect([utimensat(ofFile, '', times(9, 1), AT_EMPTY_PATH), utimensat(ofLink, '', times(5, 2), AT_EMPTY_PATH)]).toEqual([0, 0]);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(9_000_000_001n);
    expect(utimensat(AT_FDCWD, file, null, 0)).toBe(0);
    expect(Math.abs(statSync(file).mtimeMs - Date.now())).toBeLessThan(60_000);
    expect([utimensat(AT_FDCWD, `${file}s`, null, 0), utimensat(ofFile, '', times(0, 1e9), AT_EMPTY_PATH), utimensat(ofFile, '', Buffer.alloc(8), AT_EMPTY_PATH)]).toEqual([-2, -22, -22]);
    for (const fd of [ofFile, ofLink]) closeSync(fd);
  });
});
