/**
 * Listings of directories, kept for as long as the directory is unchanged: the next start asks for the same ones.
 *
 * Whatever is made, removed or renamed in a directory changes its time of change, which nobody can set; what is mounted in it
 * changes the table of mounts. Where a change was a moment ago the next one might get the same time, within the grain of
 * the clock, so nothing is kept then.
 * inode(7), st_ctime
 */
import type { KnownEntries } from '@sandlock/dispatch';
import { type EntryStat, listEntries, S_IFDIR, S_IFMT } from '@sandlock/sys';
import { lstatSync, readdirSync, statSync, type BigIntStats } from 'node:fs';

import { mountTable, type MountTable } from './mount-table.js';

export class Listing {
  readonly path: string;
  readonly names: readonly string[];
  readonly #known = new Map<boolean, KnownEntries>();
  #entries: ReadonlyMap<string, EntryStat> | undefined;

  constructor(path: string) {
    this.path = path;
    this.names = readdirSync(Buffer.from(path, 'latin1'), 'latin1');
  }

  /** Those that are still there, each looked at: of what is mounted there that may take long, and whoever counts names need not. */
  get entries(): ReadonlyMap<string, EntryStat> {
    return (this.#entries ??= listEntries(Buffer.from(this.path, 'latin1')));
  }

  /** @param writable programs may replace entries: then a directory, too, is only what it was */
  known(writable: boolean): KnownEntries {
    let known = this.#known.get(writable);
    if (known === undefined) {
      const entries = Array.from(this.entries, ([name, stat]): [string, { dev: bigint; ino: bigint } | null] => (
        [name, isOfType(stat, S_IFDIR) && !writable ? null : { dev: stat.dev, ino: stat.ino }]));
      this.#known.set(writable, (known = { path: this.path, entries: new Map(entries) }));
    }
    return known;
  }
}

export function isOfType({ mode }: EntryStat, type: number): boolean {
  return (Number(mode) & S_IFMT) === type;
}

interface Kept {
  readonly state: string;
  readonly mounts: MountTable;
  readonly listing: Listing;
}

const kept = new Map<string, Kept>();

/** Not for directories of the kernel's own, whose times tell nothing. @throws what keeps this process from listing it */
export function listing(path: string): Listing {
  const mounts = mountTable();
  const stat = statSync(Buffer.from(path, 'latin1'), { bigint: true });
  const settled = isSettled(stat);
  const state = `${stat.dev} ${stat.ino} ${stat.ctimeNs}`;
  const last = kept.get(path);
  if (last?.state === state && last.mounts === mounts) return last.listing;
  const made = new Listing(path);
  if (settled && mountTable() === mounts) kept.set(path, { state, mounts, listing: made });
  else kept.delete(path);
  return made;
}

/** Larger than the grain of any file system's clock; FAT has two seconds. */
const SETTLED_NS = 3_000_000_000n;

/** Whether the next change of a file, its entries if it is a directory, is sure to change its times. */
export function isSettled({ ctimeNs }: BigIntStats): boolean {
  return BigInt(Date.now()) * 1_000_000n - ctimeNs > SETTLED_NS;
}

/** undefined: gone. */
export function lookedAt(path: string): BigIntStats | undefined {
  return lstatSync(Buffer.from(path, 'latin1'), { bigint: true, throwIfNoEntry: false });
}
