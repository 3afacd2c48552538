/**
 * Listings in the order of names: `.` and `..`, and then byte by byte.
 *
 * A directory is read and sorted as a whole when it is read from its start, and what was found then is what the listing
 * goes on with, whatever is created or removed meanwhile. The position in the open file says which listing that is and
 * how far it has got. So everything that moves or shares positions works by itself: lseek(2), rewinddir(3), seekdir(3),
 * duplicates, children. Two readers of one directory have a listing each.
 *
 * Some file systems take positions of 31 bits only, such as procfs; there a listing has at most a million entries.
 */
import { lseek64, SyscallError } from '@sandlock/sys';
import { fstatSync } from 'node:fs';

import type { Listing } from './answer-listing.js';
import { kernelEntries, wholeDirectory } from './kernel-entries.js';
import type { DirectoryEntry } from './records.js';
import type { TargetDirectory } from './target-directory.js';

const SEEK_SET = 0;
/** How a position is divided: a listing's number, and an index in its low bits. */
const WIDE = { indexBits: 32n, numbers: 2 ** 20 };
const NARROW = { indexBits: 20n, numbers: 2 ** 11 };
const NARROW_END = 1n << 31n;
/** Of listings that nobody has come to the end of, or goes back in. The one that was not asked for longest is made again. */
const MAX_KEPT = 256;
const MAX_KEPT_ENTRIES = 500_000;

/** What is kept of a listing: its entries, with the positions behind them. */
interface Kept {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly entries: readonly DirectoryEntry[];
}

export type Visible = (entries: readonly DirectoryEntry[], fd: number) => readonly DirectoryEntry[];

/** @param visible which of its entries a directory shows; left out: all */
export function sortedListing(visible: Visible = (entries) => entries): Listing {
  const kept = new Map<bigint, Kept>();
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

  /** @param base the position of the listing's start, as far as it is known */
  const made = (directory: TargetDirectory, base: bigint | undefined): Kept => {
    const { dev, ino } = fstatSync(directory.fd, { bigint: true });
    const entries = [...visible(allEntries(directory), directory.fd)].sort(byName);
    const start = base ?? startOf(directory, nextNumber++, entries.length);
    const listing = { dev, ino, entries: entries.map((entry, i) => ({ ...entry, off: start + BigInt(i + 1) })) };
    keep(start, listing);
    return listing;
  };

  return {
    next(directory, position) {
      if (position === 0n) return made(directory, undefined).entries;
      const { indexBits } = position < NARROW_END ? NARROW : WIDE;
      const start = (position >> indexBits) << indexBits;
      let listing = kept.get(start);
      if (listing !== undefined) {
        const { dev, ino } = fstatSync(directory.fd, { bigint: true });
        if (listing.dev !== dev || listing.ino !== ino) listing = undefined;
        else keep(start, listing); // as the one asked for last
      }
      // Long forgotten, or a position of the program's own making: the directory as it is now.
      return (listing ?? made(directory, start)).entries.slice(Number(position - start));
    },
  };
}

function allEntries(directory: TargetDirectory): DirectoryEntry[] {
  // The program's own open file may be read whatever the directory's mode is by now.
  if (!directory.shared) return wholeDirectory(directory);
  const all: DirectoryEntry[] = [];
  for (let some = kernelEntries(directory, 0n); some.length > 0; some = kernelEntries(directory, some.at(-1)!.off)) all.push(...some);
  return all;
}

/** The first position of a new listing. No listing starts at 0, where every program starts. */
function startOf({ fd }: TargetDirectory, number: number, length: number): bigint {
  const wide = BigInt(1 + number % (WIDE.numbers - 1)) << WIDE.indexBits;
  try {
    lseek64(fd, wide + BigInt(length), SEEK_SET);
    return wide;
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== 'EINVAL') throw error;
    return BigInt(1 + number % (NARROW.numbers - 1)) << NARROW.indexBits;
  }
}

function byName(a: DirectoryEntry, b: DirectoryEntry): number {
  return rank(a.name) - rank(b.name) || a.name.compare(b.name);
}

const DOT = 0x2e;

/** 0 for `.`, 1 for `..`, 2 for names. */
function rank(name: Buffer): number {
  if (name[0] !== DOT || name.length > 2) return 2;
  if (name.length === 1) return 0;
  return name[1] === DOT ? 1 : 2;
}
