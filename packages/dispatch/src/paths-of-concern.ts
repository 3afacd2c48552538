/**
 * Paths of concern: what a handler promises to continue, so that it need not be asked.
 *
 * Where every handler of a call makes that promise, the listener may answer such calls itself. A handler has to
 * answer rightly without that as well: what it is spared is up to the listener, and a path that leaves a tree by `..`, or is
 * relative to a descriptor, always comes to it, and so does an empty one. A call without a path is spared where nothing concerns it.
 *
 * Of symlink(2) and symlinkat(2) the promise is about what the link could lead to, or towards, wherever it is moved. A path concerns a
 * handler by its text until such a call has come to it, afterwards also by what it leads to; and one with `..` behind a name does so whenever it
 * comes.
 */
import { pathArguments } from './path-arguments.js';
import type { Link } from './table.js';

export interface PathsOfConcern {
  /** Absolute, without a slash at the end; a character a byte (latin1). */
  readonly names?: readonly string[];
  /** The same, with everything beneath. */
  readonly trees?: readonly string[];
  /** Directories of which the known entries, with everything beneath, do not concern the handler, and all others do. */
  readonly knownEntries?: readonly KnownEntries[];
}

export interface KnownEntries {
  readonly path: string;
  /** By name. null: whatever has it. Otherwise another device or inode makes it another entry, which concerns the handler. */
  readonly entries: ReadonlyMap<string, { readonly dev: bigint; readonly ino: bigint } | null>;
}

/** A call that may be answered without asking, by the registers of its one path, or of the link that it makes; always where it has none. */
export interface ScreenableCall {
  readonly nr: number;
  readonly path: number | undefined;
  readonly dirfd: number | undefined;
  /** Of a call that makes a symbolic link, the register with its text. */
  readonly text?: number;
  /** It is to be looked at for what paths may lead to from now on, and handed out: somebody made no promise. */
  readonly handedOut?: true;
}

/** What a listener has to know to tell the calls that concern nobody. */
export interface Screening {
  readonly calls: readonly ScreenableCall[];
  readonly names: readonly string[];
  readonly trees: readonly string[];
  readonly knownEntries: readonly KnownEntries[];
}

/** Calls whose path starts somewhere else than at the directory by what their memory says. openat2(2), struct open_how */
const UNSCREENED: ReadonlySet<string> = new Set(['openat2']);

/** @returns undefined: every call concerns somebody */
export function screening(chains: Iterable<readonly Link[]>): Screening | undefined {
  const calls: ScreenableCall[] = [];
  const names = new Set<string>();
  const trees = new Set<string>();
  const knownEntries = new Set<KnownEntries>();
  for (const links of chains) {
    const { nr, name } = links[0]!;
    const paths = pathArguments(name);
    const text = paths.find(({ stored }) => stored)?.index;
    const [path, ...others] = paths.filter(({ stored }) => stored !== true);
    const all = links.flatMap(({ concerns }) => (concerns === undefined ? [] : [concerns]));
    const isPromised = all.length === links.length;
    if (others.length > 0 || UNSCREENED.has(name)) continue;
    if (path === undefined && !(isPromised && all.every(isNothing))) continue;
    if (!isPromised && (text === undefined || all.length === 0)) continue;
    calls.push({
      nr, path: path?.index, dirfd: path?.dirfd, ...(text === undefined ? {} : { text }), ...(isPromised ? {} : { handedOut: true }),
    });
    for (const concern of all) {
      concern.names?.forEach((path) => names.add(path));
      concern.trees?.forEach((path) => trees.add(path));
      concern.knownEntries?.forEach((directory) => knownEntries.add(directory));
    }
  }
  return calls.length === 0 ? undefined : { calls, names: [...names], trees: [...trees], knownEntries: [...knownEntries] };
}

function isNothing({ names, trees, knownEntries }: PathsOfConcern): boolean {
  return [names, trees, knownEntries].every((paths) => paths === undefined || paths.length === 0);
}
