/**
 * The entries of a directory in the order of their names, kept as the kernel wrote them.
 */
import {
  AT_FDCWD, close, getdents64, lseek64, O_DIRECTORY, O_RDONLY, openat, readDirectoryAside, SyscallError, type SortedDirectory,
} from '@sandlock/sys';
import { constants } from 'node:os';

import { decodeEntry, entryStarts, type DirectoryEntry } from './records.js';
import type { TargetDirectory } from './target-directory.js';

const SEEK_SET = 0;
/** What is read and sorted at once: some two thousand entries. More is read in another thread. */
const AT_ONCE_BYTES = 64 * 1024;
/** Some two million entries. */
const MAX_BYTES = 64 * 1024 * 1024;
/** With a name of 255 bytes. getdents64(2) fails where the next record does not fit. */
const LONGEST_RECORD = 280;
const { EIO } = constants.errno;

export class SortedEntries {
  readonly #directory: SortedDirectory;

  constructor(directory: SortedDirectory) {
    this.#directory = directory;
  }

  get length(): number {
    return this.#directory.starts.length;
  }

  /** As many as there are from this one on, up to a number. */
  some(index: number, count: number): DirectoryEntry[] {
    const { records, starts } = this.#directory;
    return Array.from(starts.subarray(index, index + count), (at) => decodeEntry(records, at));
  }
}

/** Read through an open file of its own, so that the position of `fd` stays. Undefined: it has more than is read at once. */
export function readFew(directory: Pick<TargetDirectory, 'fd' | 'shared'>): SortedEntries | undefined {
  const { fd, end } = openAgain(directory);
  try {
    const few = Buffer.allocUnsafe(AT_ONCE_BYTES);
    for (let length = 0; few.length - length >= LONGEST_RECORD;) {
      const got = getdents64(fd, few.subarray(length));
      if (got === 0) return new SortedEntries(sorted(Buffer.from(few.subarray(0, length))));
      length += got;
    }
    return undefined;
  } finally {
    end();
  }
}

/** The same in another thread, whatever it has. */
export async function readAll(directory: Pick<TargetDirectory, 'fd' | 'shared'>): Promise<SortedEntries> {
  const { fd, end } = openAgain(directory);
  try {
    return new SortedEntries(await readDirectoryAside(fd, MAX_BYTES));
  } catch (error) {
    throw error instanceof SyscallError && error.code === 'EFBIG' ? new SyscallError('getdents64', EIO) : error;
  } finally {
    end();
  }
}

function openAgain({ fd, shared }: Pick<TargetDirectory, 'fd' | 'shared'>): { readonly fd: number; readonly end: () => void } {
  try {
    // Through the descriptor and not as its ".": that would ask for the right to search it.
    const own = openat(AT_FDCWD, `/proc/self/fd/${fd}`, O_RDONLY | O_DIRECTORY);
    return { fd: own, end: () => close(own) };
  } catch (error) {
    if (!shared || !(error instanceof SyscallError) || error.code !== 'EACCES') throw error;
    // The program's own open file may be read whatever the directory's mode is by now.
    lseek64(fd, 0n, SEEK_SET);
    return { fd, end: () => undefined };
  }
}

function sorted(records: Buffer): SortedDirectory {
  const order = entryStarts(records).map((at) => ({ at, name: decodeEntry(records, at).name }))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.name.compare(b.name));
  return { records, starts: Uint32Array.from(order, ({ at }) => at) };
}

const DOT = 0x2e;

/** 0 for `.`, 1 for `..`, 2 for names. */
function rank(name: Buffer): number {
  if (name[0] !== DOT || name.length > 2) return 2;
  if (name.length === 1) return 0;
  return name[1] === DOT ? 1 : 2;
}
