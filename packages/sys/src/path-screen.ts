/**
 * PathScreen: which calls concern nobody by the path they name, told in C++ on the way in.
 *
 * A path concerns somebody when, made absolute and cleaned of `.`, `//` and `..`, it is one of some names, lies at or beneath one of
 * some trees, or at or beneath an entry of some directories that is not known there; and whenever that cannot be told at a
 * glance: memory that is not readable, 512 bytes and more, `..` in one of the trees, a directory descriptor. What passes is
 * answered with `continue`, which grants nothing.
 *
 * A call that makes a symbolic link passes when no path over that link, wherever it is moved, could lead to any of these, nor towards
 * them. From the first that does not, every other path is looked up as well: where links are on its way, what it leads to has to concern
 * nobody either. After one that does pass this goes for paths with `..` behind a name. Links that were there before are not known of.
 */
import { binding, type ScreenHandle } from './binding.js';

export interface ScreenedCall {
  readonly nr: number;
  /** The register with the path. undefined: it has none, and always passes. */
  readonly path: number | undefined;
  /** The register with the directory that a relative path starts from, if the call has one. */
  readonly dirfd?: number | undefined;
  /** The register with the text of a symbolic link, which the call makes at its path. */
  readonly text?: number | undefined;
  /** It is looked at, and none passes. */
  readonly handedOut?: boolean;
}

/** A directory whose known entries concern nobody, and all others do. */
export interface KnownDirectory {
  /** Absolute, without a slash at the end. */
  readonly path: Uint8Array;
  /** By name. null: whatever has that name. An entry with a name and another device or inode is another one. */
  readonly entries: readonly (readonly [name: Uint8Array, identity: { readonly dev: bigint; readonly ino: bigint } | null])[];
}

export class PathScreen {
  /** For NotifWatcher. */
  readonly handle: ScreenHandle;

  /**
   * @param arch   AUDIT_ARCH_*; calls of another one never pass
   * @param names  absolute paths without a slash at the end
   * @param trees  the same, with everything beneath
   */
  constructor(
    arch: number, calls: readonly ScreenedCall[], names: readonly Uint8Array[], trees: readonly Uint8Array[], directories: readonly KnownDirectory[] = [],
  ) {
    const numbers = Int32Array.from(calls.flatMap(({ nr, path, dirfd, text, handedOut }) => [nr, path ?? -1, dirfd ?? -1, text ?? -1, Number(handedOut === true)]));
    this.handle = new (binding().PathScreen)(arch, numbers, nulTerminated(names), nulTerminated(trees), directories.map(encoded));
  }

  /** How many calls with this number have passed. */
  passed(nr: number): number {
    return this.handle.passed(nr);
  }
}

function nulTerminated(paths: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)]));
}

type EncodedDirectory = [names: Uint8Array, identities: BigUint64Array];

/** The same directories are given at each start, and have many entries. */
const encodings = new WeakMap<KnownDirectory, EncodedDirectory>();

function encoded(directory: KnownDirectory): EncodedDirectory {
  let encoding = encodings.get(directory);
  if (encoding === undefined) {
    const { path, entries } = directory;
    encoding = [
      nulTerminated([path, ...entries.map(([name]) => name)]),
      BigUint64Array.from(entries.flatMap(([, identity]) => (identity === null ? [0n, 0n] : [identity.dev, identity.ino]))),
    ];
    encodings.set(directory, encoding);
  }
  return encoding;
}
