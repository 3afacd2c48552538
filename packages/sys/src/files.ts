/**
 * Descriptors and files. Paths are bytes: a string is taken as UTF-8.
 */
import { constants } from 'node:os';

import { binding } from './binding.js';
import { F_ADD_SEALS, F_DUPFD_CLOEXEC, F_GETFD, F_SETFL, O_CLOEXEC } from './constants.js';
import { check, SyscallError } from './errors.js';

const SPLICE_F_NONBLOCK = 2; // include/linux/splice.h
const { EAGAIN } = constants.errno;

/** A path or name: text as UTF-8, or the bytes themselves. */
export type PathLike = string | Uint8Array;

/** The bytes of a path and the NUL that ends it. @throws {SyscallError} EINVAL for a NUL inside */
export function cString(path: PathLike): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(path, 'utf8') : path;
  if (bytes.includes(0)) throw new SyscallError('path', 22, JSON.stringify(Buffer.from(bytes).toString()));
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

/** <poll.h>, the same on every architecture. Errors and POLLNVAL are told without being asked for. */
export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLERR = 8;

/** What of these events is so now, without waiting. @returns `POLL*` @throws {SyscallError} ENOMEM @see poll(2) */
export function pollNow(fd: number, events: number): number {
  return check('poll', binding().pollNow(fd, events));
}

/** Closes a descriptor. @throws {SyscallError} EBADF @see close(2) */
export function close(fd: number): void {
  check('close', binding().close(fd));
}

/**
 * Opens a path relative to a directory.
 *
 * @param dirFd  a directory, or `AT_FDCWD`
 * @param flags  `O_CLOEXEC` is added: no descriptor of ours is for a program by accident
 * @returns a descriptor; the caller closes it
 * @throws {SyscallError} as the manual lists
 * @see openat(2)
 */
export function openat(dirFd: number, path: PathLike, flags: number, mode = 0): number {
  return check('openat', binding().openat(dirFd, cString(path), flags | O_CLOEXEC, mode), String(path));
}

/**
 * Opens a path relative to a directory, and says how it may be walked.
 *
 * @param dirFd    a directory, or `AT_FDCWD`
 * @param flags    `O_CLOEXEC` is added; unlike openat(2), what the kernel does not know is EINVAL
 * @param mode     0 unless a file may be made
 * @param resolve  `RESOLVE_*`
 * @returns a descriptor; the caller closes it
 * @throws {SyscallError} as the manual lists; ELOOP for a link that RESOLVE_* forbids
 * @see openat2(2); Linux 5.6
 */
export function openat2(dirFd: number, path: PathLike, flags: number, mode = 0, resolve = 0): number {
  return check('openat2', binding().openat2(dirFd, cString(path), flags | O_CLOEXEC, mode, resolve), String(path));
}

/** Reads what is there, at most the buffer. @returns bytes read, 0 at the end @see read(2) */
export function read(fd: number, buffer: Uint8Array): number {
  return check('read', binding().read(fd, buffer));
}

/**
 * Opens a file, reads what one read(2) gives, and closes it: the least that a look into /proc takes.
 *
 * @param path  as UTF-8
 * @returns bytes read
 * @throws {SyscallError} as open(2) and read(2) list; EINVAL for a NUL
 */
export function readFileOnce(path: string, buffer: Uint8Array): number {
  return check('read', binding().readFile(path, buffer, false), path);
}

/** As {@link readFileOnce}, but to the end of the file. @returns bytes read; as many as the buffer has where there may be more */
export function readFileInto(path: string, buffer: Uint8Array): number {
  return check('read', binding().readFile(path, buffer, true), path);
}

/** Writes, perhaps less than all. @returns bytes written @see write(2) */
export function write(fd: number, buffer: Uint8Array): number {
  return check('write', binding().write(fd, buffer));
}

/** Moves the offset. @param whence 0 from the start, 1 from here, 2 from the end @see lseek(2) */
export function lseek(fd: number, offset: number, whence: 0 | 1 | 2): number {
  return check('lseek', binding().lseek(fd, offset, whence));
}

/** As {@link lseek}, with all 64 bits: the offsets of a directory need them. @see lseek(2), readdir(3) */
export function lseek64(fd: number, offset: bigint, whence: 0 | 1 | 2): bigint {
  const result = binding().lseek64(fd, offset, whence);
  if (result < 0n) check('lseek', Number(result));
  return result;
}

/**
 * Reads entries of a directory, as many as fit, and moves its offset behind them.
 *
 * @returns bytes of `struct linux_dirent64` records, 0 at the end
 * @throws {SyscallError} EINVAL the buffer is too small for the next one, ENOENT the directory was removed, ENOTDIR
 * @see getdents64(2)
 */
export function getdents64(fd: number, buffer: Uint8Array): number {
  return check('getdents64', binding().getdents64(fd, buffer));
}

/** Duplicates a descriptor to the lowest free number from `minFd`. @returns close-on-exec; the caller closes it */
export function fcntlDupFd(fd: number, minFd: number): number {
  return check('fcntl', binding().fcntl(fd, F_DUPFD_CLOEXEC, minFd));
}

/** Whether a number is an open descriptor. @see fcntl(2), F_GETFD */
export function isOpenFd(fd: number): boolean {
  return binding().fcntl(fd, F_GETFD, 0) >= 0;
}

/** Sets the status flags that may change: O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME. @see fcntl(2), F_SETFL */
export function fcntlSetFlags(fd: number, flags: number): void {
  check('fcntl', binding().fcntl(fd, F_SETFL, flags));
}

/**
 * Whether a pipe has something to read or somebody who may write, without taking anything out of it.
 *
 * @param readFd   the read end of a pipe or a FIFO
 * @param writeFd  the write end of a pipe with room for a byte, which it may get
 * @see tee(2), SPLICE_F_NONBLOCK
 */
export function pipeHasWriter(readFd: number, writeFd: number): boolean {
  const result = binding().tee(readFd, writeFd, 1, SPLICE_F_NONBLOCK);
  return result === -EAGAIN || check('tee', result) > 0;
}

/** A pipe, both ends close-on-exec. @returns [read end, write end]; the caller closes both @see pipe(2) */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  check('pipe2', binding().pipe2(ends, O_CLOEXEC));
  return [ends[0]!, ends[1]!];
}

/** An anonymous file. @param name at most 249 bytes @param flags `MFD_*` @returns a descriptor; the caller closes it @see memfd_create(2) */
export function memfdCreate(name: PathLike, flags: number): number {
  return check('memfd_create', binding().memfdCreate(cString(name), flags));
}

/** Seals a memfd. @param seals `F_SEAL_*` @see fcntl(2), "File sealing" */
export function addSeals(fd: number, seals: number): void {
  check('fcntl', binding().fcntl(fd, F_ADD_SEALS, seals));
}

/** The type and permission bits of an open file. @see fstat(2), st_mode */
export function fstatMode(fd: number): number {
  return check('fstat', binding().fstatMode(fd));
}
