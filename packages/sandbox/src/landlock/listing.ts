/**
 * Listings of directories, kept for as long as the directory is unchanged: the next start asks for the same ones.
 *
 * Whatever is made, removed or renamed in a directory changes its time of change, which nobody can set. A change within the
 * grain of that clock may be missed; then an entry is taken for what it was, and it is the rule of another file that is
 * not there.
 * inode(7), st_ctime
 */
import type { KnownEntries } from '@sandlock/dispatch';
import { lstatSync, readdirSync, statSync, type BigIntStats } from 'node:fs';

export class Listing {
  readonly path: string;
  readonly #known = new Map<boolean, KnownEntries>();
  #entries: ReadonlyMap<string, BigIntStats> | undefined;
  readonly names: readonly string[];

  constructor(path: string) {
    this.path = path;
    this.names = readdirSync(Buffer.from(path, 'latin1'), 'latin1');
  }

  /** Those that are still there. */
  get entries(): ReadonlyMap<string, BigIntStats> {
    if (this.#entries !== undefined) return this.#entries;
    const entries = new Map<string, BigIntStats>();
    for (const name of this.names) {
      const stat = lookedAt(this.path === '/' ? `/${name}` : `${this.path}/${name}`);
      if (stat !== undefined) entries.set(name, stat);
    }
    return (this.#entries = entries);
  }

  /** @param writable programs may replace entries: then a directory, too, is only what it was */
  known(writable: boolean): KnownEntries {
    let known = this.#known.get(writable);
    if (known === undefined) {
      const entries = Array.from(this.entries, ([name, stat]): [string, { dev: bigint; ino: bigint } | null] => (
        [name, stat.isDirectory() && !writable ? null : { dev: stat.dev, ino: stat.ino }]));
      this.#known.set(writable, (known = { path: this.path, entries: new Map(entries) }));
    }
    return known;
  }
}

const kept = new Map<string, { readonly state: string; readonly listing: Listing }>();

/** Not for directories of the kernel's own, whose times tell nothing. @throws what keeps this process from listing it */
export function listing(path: string): Listing {
  const { dev, ino, ctimeNs } = statSync(Buffer.from(path, 'latin1'), { bigint: true });
  const state = `${dev} ${ino} ${ctimeNs}`;
  const last = kept.get(path);
  if (last?.state === state) return last.listing;
  const made = new Listing(path);
  kept.set(path, { state, listing: made });
  return made;
}

/** undefined: gone. */
export function lookedAt(path: string): BigIntStats | undefined {
  return lstatSync(Buffer.from(path, 'latin1'), { bigint: true, throwIfNoEntry: false });
}
