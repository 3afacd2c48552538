/** What a file tells, as the kernel lays it out, and the setting of its times. stat(2), statx(2), utimensat(2) */
import { binding } from './binding.js';
import { cString, type PathLike } from './files.js';

/** The largest struct stat of a 64-bit architecture. */
export const STAT_BYTES = 144;
/** sizeof(struct statx) */
export const STATX_BYTES = 256;

/**
 * @param fd  also of O_PATH
 * @param to  a struct stat is written here; 128 bytes where the architecture has the generic one
 * @returns 0 or -errno
 */
export function fstat(fd: number, to: Uint8Array): number {
  return binding().fstat(fd, to);
}

/**
 * @param to  a struct statx is written here
 * @returns 0 or -errno, and throws nothing: what a target asked for may be anything
 * @see statx(2); Linux 4.11
 */
export function statx(dirFd: number, path: PathLike, flags: number, mask: number, to: Uint8Array): number {
  return binding().statx(dirFd, cString(path), flags, mask, to);
}

/**
 * Sets the times of a file.
 *
 * @param times  two struct timespec, of the last access and of the last change; null: now
 * @param flags  `AT_*`; with AT_EMPTY_PATH also through a descriptor of O_PATH, from Linux 5.8 on
 * @returns 0 or -errno, and throws nothing: what a target asked for may be anything
 */
export function utimensat(dirFd: number, path: PathLike, times: Uint8Array | null, flags: number): number {
  return binding().utimensat(dirFd, cString(path), times, flags);
}
