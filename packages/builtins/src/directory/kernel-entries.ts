/**
 * The entries that a directory has, as the file system gives them.
 */
import { AT_FDCWD, close, getdents64, lseek64, O_DIRECTORY, O_RDONLY, openat } from '@sandlock/sys';

import { decodeEntries, type DirectoryEntry } from './records.js';
import type { TargetDirectory } from './target-directory.js';

const SEEK_SET = 0;
/** What a C library asks for at once. */
const buffer = Buffer.alloc(32 * 1024);

/** Some of them, from a position on; none at the end. Moves the open file's position. */
export function kernelEntries({ fd }: Pick<TargetDirectory, 'fd'>, position: bigint): DirectoryEntry[] {
  lseek64(fd, position, SEEK_SET);
  return someEntries(fd);
}

/** All of them, `.` and `..` included, read through an open file of its own: the position of `fd` stays. */
export function wholeDirectory({ fd }: Pick<TargetDirectory, 'fd'>): DirectoryEntry[] {
  // Through the descriptor and not as its ".": that would ask for the right to search it.
  const own = openat(AT_FDCWD, `/proc/self/fd/${fd}`, O_RDONLY | O_DIRECTORY);
  try {
    const entries: DirectoryEntry[] = [];
    for (let some = someEntries(own); some.length > 0; some = someEntries(own)) entries.push(...some);
    return entries;
  } finally {
    close(own);
  }
}

function someEntries(fd: number): DirectoryEntry[] {
  return decodeEntries(Buffer.from(buffer.subarray(0, getdents64(fd, buffer))));
}
