/**
 * Listings in the order of names: `.` and `..`, and then byte by byte.
 *
 * A directory is read and sorted as a whole when it is read from its start, and what was found then is what the listing
 * goes on with, whatever is created or removed meanwhile. The position in the open file says which listing that is and
 * how far it has got. So everything that moves or shares positions works by itself: lseek(2), rewinddir(3), seekdir(3),
 * duplicates, children. Two readers of one directory have a listing each.
 *
 * A directory is as large as somebody makes it. One that does not end soon is read and sorted in another thread, while
 * the call waits, and what is shown of it is decoded as it is asked for.
 *
 * Some file systems take positions of 31 bits only, such as procfs; there a listing has at most a million entries.
 */
import { lseek64, SyscallError } from '@sandlock/sys';
import { fstatSync } from 'node:fs';
import { constants } from 'node:os';

import { OneAtATime } from '../one-at-a-time.js';
import type { LateBegin, Listing } from './answer-listing.js';
import type { DirectoryEntry } from './records.js';
import { readAll, readFew, type SortedEntries } from './sorted-entries.js';
import type { TargetDirectory } from './target-directory.js';

const { EIO } = constants.errno;
const SEEK_SET = 0;
/** How a position is divided: a listing's number, and an index in its low bits. */
const WIDE = { indexBits: 32n, numbers: 2 ** 20 };
const NARROW = { indexBits: 20n, numbers: 2 ** 11 };
const NARROW_END = 1n << 31n;
/** Of listings that nobody has come to the end of, or goes back in. The one that was not asked for longest is made again. */
const MAX_KEPT = 256;
const MAX_KEPT_ENTRIES = 500_000;
/** Decoded at once. A C library asks for some 1300 of the shortest names. */
const SOME = 1024;

/** What is kept of a listing. The position behind an entry is its index and 1 behind the listing's start. */
interface Kept {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly entries: SortedEntries;
}

export type Visible = (entries: readonly DirectoryEntry[], fd: number) => readonly DirectoryEntry[];

/** @param visible which of its entries a directory shows; left out: all */
export function sortedListing(visible: Visible = (entries) => entries): Listing {
  const kept = new Map<bigint, Kept>();
  const aside = new OneAtATime();
  let keptEntries = 0;
  let nextNumber = 0;

  const drop = (number: bigint): void => {
    keptEntries -= kept.get(number)?.entries.length ?? 0;
    kept.delete(number);
  };

  const keep = (number: bigint, listing: Kept): void => {
    drop(number);
    kept.set(number, listing);
    keptEntries += listing.entries.length;
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT && (keptEntries <= MAX_KEPT_ENTRIES || kept.size === 1)) break;
      drop(oldest);
    }
  };

  /** Whether it is there, and then as the one asked for last. */
  const isKept = (directory: TargetDirectory, start: bigint): boolean => {
    const listing = kept.get(start);
    if (listing === undefined) return false;
    const { dev, ino } = fstatSync(directory.fd, { bigint: true });
    if (listing.dev !== dev || listing.ino !== ino) return false;
    keep(start, listing);
    return true;
  };

  const goesOn = (directory: TargetDirectory, position: bigint): boolean => position !== 0n && isKept(directory, startOf(position));

  const begun = (directory: TargetDirectory, position: bigint, entries: SortedEntries): bigint => {
    const { dev, ino } = fstatSync(directory.fd, { bigint: true });
    const start = position === 0n ? newStart(directory, nextNumber++, entries.length) : startOf(position);
    keep(start, { dev, ino, entries });
    return position === 0n ? start : position;
  };

  const late: LateBegin = {
    inTurn: (work, signal) => aside.run(work, signal),
    begin: async (directory, position) => (
      goesOn(directory, position) ? position : begun(directory, position, await readAll(directory))),
  };

  return {
    begin(directory, position) {
      if (goesOn(directory, position)) return position;
      // From the start, or long forgotten, or a position of the program's own making: the directory as it is now.
      const few = readFew(directory);
      return few === undefined ? late : begun(directory, position, few);
    },
    next(_, position) {
      const start = startOf(position);
      const listing = kept.get(start);
      if (listing === undefined) throw new SyscallError('getdents64', EIO); // very large ones have come in between
      return listing.entries.some(Number(position - start), SOME).map((entry, i) => ({ ...entry, off: position + BigInt(i + 1) }));
    },
    visible: (entries, { fd }) => visible(entries, fd),
  };
}

function startOf(position: bigint): bigint {
  const { indexBits } = position < NARROW_END ? NARROW : WIDE;
  return (position >> indexBits) << indexBits;
}

/** The first position of a new listing. No listing starts at 0, where every program starts. */
function newStart({ fd }: TargetDirectory, number: number, length: number): bigint {
  const wide = BigInt(1 + number % (WIDE.numbers - 1)) << WIDE.indexBits;
  try {
    lseek64(fd, wide + BigInt(length), SEEK_SET);
    return wide;
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== 'EINVAL') throw error;
    if (BigInt(length) >> NARROW.indexBits > 0n) throw new SyscallError('lseek', EIO);
    return BigInt(1 + number % (NARROW.numbers - 1)) << NARROW.indexBits;
  }
}
