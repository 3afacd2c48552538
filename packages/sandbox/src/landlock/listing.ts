/**
 * Listings of directories, kept for as long as the directory is unchanged: the next start asks for the same ones.
 *
 * Whatever is made, removed or renamed in a directory changes its time of change, which nobody can set; what is mounted in it
 * changes the table of mounts. Where a change was a moment ago the next one might get the same time, within the grain of
 * the clock, so nothing is kept then. What is kept is told by what the descriptor said that was listed.
 * inode(7), st_ctime
 */
import type { KnownEntries } from '@sandlock/dispatch';
import { type DirectoryStat, type EntryStat, listEntries, listNames, S_IFDIR, S_IFMT } from '@sandlock/sys';
import { lstatSync, statSync, type BigIntStats } from 'node:fs';

import { pathBytes } from '../policy/path-text.js';
import { identityOf } from './identities.js';
import { judgedEntries, type JudgedEntries } from './judged-entries.js';
import { mountTable, type MountTable } from './mount-table.js';
import { LOOKS, Moved } from './moved.js';

export class Listing {
  readonly path: string;
  readonly directory: DirectoryStat;
  /** Of {@link directory}, see identityOf(). */
  readonly identity: string;
  readonly #known = new Map<boolean, KnownEntries>();
  readonly #judged = new Map<string, JudgedEntries>();
  #names: readonly string[] | undefined;
  #entries: ReadonlyMap<string, EntryStat> | undefined;

  /**
   * @param look   at each entry now: of what is mounted there that may take long, and whoever counts them need not
   * @param links  false: nobody asks about links, of which a directory of the kernel's may have hundreds
   */
  constructor(path: string, { look, links = true }: { readonly look: boolean; readonly links?: boolean }) {
    this.path = path;
    const { directory, names, entries } = look ? { names: undefined, ...listEntries(pathBytes(path), { links }) } : { entries: undefined, ...listNames(pathBytes(path)) };
    this.directory = directory;
    this.identity = identityOf(directory);
    this.#names = names;
    this.#entries = entries;
  }

  get count(): number {
    return this.#names?.length ?? this.entries.size;
  }

  /** Those that are still there. @throws {Moved} the path leads to another directory by now */
  get entries(): ReadonlyMap<string, EntryStat> {
    return (this.#entries ??= ofDirectory(this.path, this.identity, () => listEntries(pathBytes(this.path))).entries);
  }

  /** Some of the entries, with what they are, as rules take them. */
  judged(names: readonly string[]): JudgedEntries {
    const key = names.join('\0');
    let judged = this.#judged.get(key);
    if (judged === undefined) {
      if (this.#judged.size === MAX_JUDGED) this.#judged.clear();
      this.#judged.set(key, (judged = judgedEntries(names, this.entries)));
    }
    return judged;
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

/** Policies that divide one directory in different ways, as a rule. */
const MAX_JUDGED = 4;


export function isOfType({ mode }: EntryStat, type: number): boolean {
  return (Number(mode) & S_IFMT) === type;
}

interface Kept {
  readonly mounts: MountTable;
  readonly listing: Listing;
}

const kept = new Map<string, Kept>();

/** Not for directories of the kernel's own, whose times tell nothing. @throws what keeps this process from listing it */
export function listing(path: string): Listing {
  const mounts = mountTable();
  const last = kept.get(path);
  if (last?.mounts === mounts && stateOf(last.listing.directory) === stateOf(statSync(pathBytes(path), { bigint: true }))) return last.listing;
  const began = Date.now();
  const made = new Listing(path, { look: false });
  if (isSettled(made.directory, began) && mountTable() === mounts) kept.set(path, { mounts, listing: made });
  else kept.delete(path);
  return made;
}

function stateOf({ dev, ino, ctimeNs }: DirectoryStat): string {
  return `${dev} ${ino} ${ctimeNs}`;
}

/**
 * A listing of this very directory.
 *
 * @param kept  whether a kept one may do: see listing()
 * @throws {Moved} the path led to another one, or to none, at every look
 */
export function listingOf(path: string, identity: string, { kept: mayBeKept }: { readonly kept: boolean }): Listing {
  return ofDirectory(path, identity, () => (mayBeKept ? listing(path) : new Listing(path, { look: true, links: false })));
}

function ofDirectory<T extends { readonly directory: DirectoryStat }>(path: string, identity: string, list: () => T): T {
  for (let look = 0; look < LOOKS; look++) {
    try {
      const listed = list();
      if (identityOf(listed.directory) === identity) return listed;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  throw new Moved(path);
}

/** Also where something else has its name, or a part of its way. */
function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Larger than the grain of any file system's clock; FAT has two seconds. */
const SETTLED_NS = 3_000_000_000n;

/** Whether the next change of a file, its entries if it is a directory, is sure to change its times. */
export function isSettled({ ctimeNs }: Pick<BigIntStats, 'ctimeNs'>, atMs = Date.now()): boolean {
  return BigInt(atMs) * 1_000_000n - ctimeNs > SETTLED_NS;
}

/** undefined: gone. */
export function lookedAt(path: string): BigIntStats | undefined {
  return lstatSync(pathBytes(path), { bigint: true, throwIfNoEntry: false });
}
