import { mkdtempSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  addSeals, AT_FDCWD, close, F_SEAL_WRITE, fcntlDupFd, fstatMode, getdents64, isOpenFd, lseek, lseek64, memfdCreate, MFD_ALLOW_SEALING, MFD_CLOEXEC, O_CLOEXEC,
  O_DIRECTORY, O_PATH, O_RDONLY, openat, openat2, pipe, pipeHasWriter, read, readFileInto, readFileOnce, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, S_IFDIR, S_IFMT, write,
} from '../src/index.js';
import { binding } from '../src/binding.js';
import { F_GETFD } from '../src/constants.js';

const code = (name: string) => expect.objectContaining({ name: 'SyscallError', code: name }) as Error;
const closesOnExec = (fd: number) => binding().fcntl(fd, F_GETFD, 0) === 1;

describe('descriptors', () => {
  it('of every kind close on exec', () => {
    const fds = [openat(AT_FDCWD, '/', O_PATH), ...pipe(), memfdCreate('test', MFD_CLOEXEC)];
    fds.push(fcntlDupFd(fds[0]!, 100));
    expect(fds.map(closesOnExec)).toEqual([true, true, true, true, true]);
    expect(fds.at(-1)).toBeGreaterThanOrEqual(100);
    fds.forEach(close);
    expect(fds.map(isOpenFd)).toEqual([false, false, false, false, false]);
  });

  it('that are not open are EBADF', () => {
    for (const call of [() => close(9999), () => fstatMode(9999), () => fcntlDupFd(9999, 3), () => read(9999, Buffer.alloc(1))]) {
      expect(call).toThrow(code('EBADF'));
    }
  });

  it('are opened along paths that are limited', () => {
    const root = openat(AT_FDCWD, '/', O_PATH);
    const open = (path: string, resolve: number) => close(openat2(root, path, O_PATH, 0, resolve));
    expect(() => open('etc', RESOLVE_BENEATH)).not.toThrow();
    expect(() => open('/etc', RESOLVE_IN_ROOT)).not.toThrow();
    expect(() => open('/etc', RESOLVE_BENEATH)).toThrow(code('EXDEV'));
    expect(() => open('proc/self/exe', RESOLVE_NO_MAGICLINKS)).toThrow(code('ELOOP'));
    expect(() => open('etc', 0x8000)).toThrow(code('EINVAL'));
    const fd = openat2(root, 'etc', O_PATH);
    expect(closesOnExec(fd)).toBe(true);
    [fd, root].forEach(close);
  });

  it('of a pipe tell whether somebody may write to it, and nothing is taken out', () => {
    const [inspectedRead, inspectedWrite] = pipe();
    const [restRead, restWrite] = pipe();
    expect(pipeHasWriter(inspectedRead, restWrite)).toBe(true);
    write(inspectedWrite, Buffer.from('x'));
    expect(pipeHasWriter(inspectedRead, restWrite)).toBe(true);
    close(inspectedWrite);
    expect(pipeHasWriter(inspectedRead, restWrite)).toBe(true);
    expect(read(inspectedRead, Buffer.alloc(9))).toBe(1);
    expect(pipeHasWriter(inspectedRead, restWrite)).toBe(false);
    expect(() => pipeHasWriter(restWrite, restWrite)).toThrow('EBADF');
    [inspectedRead, restRead, restWrite].forEach(close);
  });

  it('carry bytes through a pipe', () => {
    const [readEnd, writeEnd] = pipe();
    expect(write(writeEnd, Buffer.from('hello'))).toBe(5);
    const buffer = Buffer.alloc(10);
    expect(read(readEnd, buffer)).toBe(5);
    expect(buffer.toString('latin1', 0, 5)).toBe('hello');
    close(writeEnd);
    expect(read(readEnd, buffer)).toBe(0);
    close(readEnd);
  });
});

describe('openat', () => {
  it('opens relative to a directory, and takes bytes', () => {
    const root = openat(AT_FDCWD, '/', O_PATH | O_DIRECTORY);
    expect(fstatMode(root) & S_IFMT).toBe(S_IFDIR);
    const fd = openat(root, Buffer.from('proc/self/exe'), O_RDONLY | O_CLOEXEC);
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(realpathSync(process.execPath));
    close(fd);
    close(root);
  });

  it('refuses what is missing, what is no directory, and a NUL, which would end the path early', () => {
    expect(() => openat(AT_FDCWD, '/does/not/exist', O_RDONLY)).toThrow(code('ENOENT'));
    expect(() => openat(AT_FDCWD, '/etc/passwd', O_DIRECTORY)).toThrow(code('ENOTDIR'));
    expect(() => openat(AT_FDCWD, '/etc/passwd\0.txt', O_RDONLY)).toThrow(code('EINVAL'));
  });
});

describe('memfd', () => {
  it('is written, read back and sealed', () => {
    const fd = memfdCreate('test', MFD_CLOEXEC | MFD_ALLOW_SEALING);
    write(fd, Buffer.from('contents'));
    expect(lseek(fd, 0, 2)).toBe(8);
    expect(lseek(fd, 3, 0)).toBe(3);
    const buffer = Buffer.alloc(5);
    read(fd, buffer);
    expect(buffer.toString()).toBe('tents');
    addSeals(fd, F_SEAL_WRITE);
    expect(() => write(fd, Buffer.from('x'))).toThrow(code('EPERM'));
    close(fd);
  });
});

describe('getdents64', () => {
  it('reads the records of a directory, and its offsets bring it back', () => {
    const fd = openat(AT_FDCWD, '/', O_RDONLY | O_DIRECTORY);
    const [first, again] = [Buffer.alloc(24), Buffer.alloc(24)];
    expect(getdents64(fd, first)).toBe(24); // "." or ".."
    expect(lseek64(fd, 0n, 1)).toBe(first.readBigInt64LE(8)); // d_off, as it is
    expect(lseek64(fd, 0n, 0)).toBe(0n);
    getdents64(fd, again);
    expect(again).toEqual(first);
    expect(() => getdents64(fd, Buffer.alloc(23))).toThrow(code('EINVAL'));
    close(fd);
    const file = openat(AT_FDCWD, '/proc/self/exe', O_RDONLY);
    expect(() => getdents64(file, first)).toThrow(code('ENOTDIR'));
    close(file);
    expect(() => lseek64(file, 0n, 0)).toThrow(code('EBADF'));
  });
});

describe('files that are read whole', () => {
  it('are read once, to the end or to a full buffer, and leave no descriptor open', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandlock-read-'));
    const file = join(folder, 'ä');
    writeFileSync(file, 'x'.repeat(10));
    const next = pipe();
    next.forEach(close);
    expect(readFileInto(file, Buffer.alloc(20))).toBe(10);
    expect(readFileInto(file, Buffer.alloc(4))).toBe(4);
    expect(readFileOnce(file, Buffer.alloc(20))).toBe(10);
    expect(() => readFileInto(join(folder, 'missing'), Buffer.alloc(1))).toThrow(code('ENOENT'));
    expect(() => readFileInto(folder, Buffer.alloc(1))).toThrow(code('EISDIR'));
    expect(() => readFileInto(`${file}\0`, Buffer.alloc(1))).toThrow(code('EINVAL'));
    const again = pipe();
    expect(again).toEqual(next);
    again.forEach(close);
    rmSync(folder, { recursive: true });
  });

  it('come a page at a time from /proc, of which one read is the first', () => {
    const large = Buffer.alloc(1 << 20);
    expect(readFileInto('/proc/kallsyms', large)).toBe(large.length);
    const first = readFileOnce('/proc/kallsyms', large);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(large.length);
    expect(large.toString('latin1', 0, readFileInto('/proc/self/stat', large)).split(' ')[0]).toBe(String(process.pid));
    expect(readFileSync('/proc/kallsyms').subarray(0, large.length).equals(large.subarray(0, readFileInto('/proc/kallsyms', large)))).toBe(true);
  });
});
