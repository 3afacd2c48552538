/**
 * Entries of a directory that get a rule, each with what it was when that was decided: one that is another file by then gets none.
 */
import type { EntryStat } from '@sandlock/sys';

export interface JudgedEntries {
  /** A character a byte. */
  readonly names: readonly string[];
  /** With a NUL behind each. */
  readonly text: Uint8Array;
  /** Device and inode of each. */
  readonly identities: BigUint64Array;
  /** The same for the same names of the same files, and for no others. */
  readonly key: string;
}

export function judgedEntries(names: readonly string[], entries: ReadonlyMap<string, EntryStat>): JudgedEntries {
  const text = Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1');
  const identities = BigUint64Array.from(names.flatMap((name) => {
    const { dev, ino } = entries.get(name)!;
    return [dev, ino];
  }));
  const key = `${names.length} ${Buffer.concat([text, new Uint8Array(identities.buffer)]).toString('base64')}`;
  return { names, text, identities, key };
}
