/**
 * Divided grants: which part of each grant Landlock gives, and which the supervisor serves.
 *
 * A Landlock rule holds for everything beneath its directory, and no rule takes anything away. So a grant with a hole
 * in it becomes a rule for each entry beside the hole, on every level down to it. The directories on the way get no rule
 * that lets anybody read them, for that would hold in the hole as well: the supervisor opens them on behalf of the
 * target, and for a writable grant they get the rights to make and remove entries. What is an entry only later has no
 * rule and is opened on behalf as well, so it is written down which there are.
 */
import { fileIdentity } from '@sandlock/builtins';
import type { KnownEntries } from '@sandlock/dispatch';
import { type EntryStat, S_IFLNK } from '@sandlock/sys';

import type { PolicyGrant } from '../policy/policy.js';
import { RealPaths } from '../policy/real-paths.js';
import type { Holes } from './holes.js';
import type { LandlockGrant } from './landlock-plan.js';
import { isOfType, listing, Listing, lookedAt } from './listing.js';
import { isWithin } from './mount-points.js';

export interface Grants {
  readonly readable: readonly PolicyGrant[];
  readonly writable: readonly PolicyGrant[];
}

export interface DividedGrants {
  readonly landlock: {
    readonly readable: readonly LandlockGrant[];
    readonly writable: readonly LandlockGrant[];
    /** Directories whose entries may be made and removed, and no more. */
    readonly entries: readonly PolicyGrant[];
  };
  readonly served: {
    /** Paths in a procfs, as they were granted, and resolved where that can be. A character a byte. */
    readonly readable: readonly string[];
    /** Includes reading. */
    readonly writable: readonly string[];
    /** Directories on the way to a hole: granted, and without a rule for reading them. */
    readonly directories: readonly string[];
    /** The entries that they had, as far as others may come to be there. */
    readonly knownEntries: readonly KnownEntries[];
  };
}

export function divideGrants({ readable, writable }: Grants, holes: Holes, paths = new RealPaths()): DividedGrants {
  const real = ({ path }: PolicyGrant): string | undefined => paths.of(path);
  const granted = [...readable, ...writable].flatMap((grant) => real(grant) ?? []);
  const kept = writable.flatMap((grant) => readOnly(grant, real(grant), holes.cgroups));
  const near = holes.sysfs.filter((mount) => granted.some((path) => isWithin(path, mount) || isWithin(mount, path)));
  const all = [...holes.procfs, ...holes.files, ...near.flatMap((mount) => holes.blocked(mount))];
  const directories = new Map<string, { listing: Listing; writable: boolean }>();
  const entries: PolicyGrant[] = [];
  const split = (
    grants: readonly PolicyGrant[], without: readonly string[], atDirectory?: (grant: PolicyGrant) => void,
  ): LandlockGrant[] => grants.flatMap((grant): LandlockGrant[] => {
    const path = real(grant);
    if (path === undefined) return [grant];
    if (holes.identities.size > 0 && isViewed(lookedAt(path), holes)) return [];
    if (!without.some((hole) => isWithin(hole, path) || isWithin(path, hole))) return [grant];
    return around(path, without, holes).map(({ listing: found, beside }) => {
      const directory = found.path;
      const known = directories.get(directory);
      directories.set(directory, { listing: found, writable: atDirectory !== undefined || known?.writable === true });
      atDirectory?.({ ...grant, path: toBytes(directory) });
      return { ...grant, path: toBytes(directory), optional: true, entries: beside };
    });
  });
  return {
    landlock: {
      readable: split([...readable, ...kept], all),
      writable: split(writable, [...all, ...holes.cgroups], (directory) => entries.push(directory)),
      entries,
    },
    served: {
      readable: readable.flatMap((grant) => inside(grant, real(grant), holes.procfs)),
      writable: writable.flatMap((grant) => inside(grant, real(grant), holes.procfs)),
      directories: [...directories.keys()].sort(),
      // What the kernel makes up has no entries of the program's.
      knownEntries: [...directories].filter(([path]) => !isSpecial(path, holes)).map(([, known]) => known.listing.known(known.writable)),
    },
  };
}

interface Level {
  readonly listing: Listing;
  /** Entries that have nothing to do with a hole. */
  readonly beside: readonly string[];
}

/** The directories from `path` down to its holes, with what of each is none. */
function around(path: string, without: readonly string[], holes: Holes): Level[] {
  if (without.some((hole) => isWithin(path, hole))) return [];
  const found = isSpecial(path, holes) ? new Listing(path) : listing(path);
  const prefix = path === '/' ? '/' : `${path}/`;
  const inner = without.filter((hole) => hole.startsWith(prefix));
  const onTheWay = new Set(inner.map((hole) => hole.slice(prefix.length).split('/', 1)[0]!));
  const beside: string[] = [];
  const below: Level[] = [];
  for (const [name, stat] of found.entries) {
    // What a link leads to has a rule of its own if it lies beneath this grant, and was not granted if it does not.
    if (isOfType(stat, S_IFLNK) || isViewed(stat, holes)) continue;
    if (onTheWay.has(name)) below.push(...around(prefix + name, inner, holes));
    else beside.push(name);
  }
  return [{ listing: found, beside }, ...below];
}

function isSpecial(path: string, { special }: Holes): boolean {
  return special.some((mount) => isWithin(path, mount));
}

function isViewed(stat: EntryStat | undefined, { identities }: Holes): boolean {
  return stat !== undefined && identities.has(fileIdentity(stat) ?? '');
}

/** What a writable grant has of control groups: for reading. */
function readOnly(grant: PolicyGrant, path: string | undefined, cgroups: readonly string[]): PolicyGrant[] {
  if (path === undefined) return [];
  if (cgroups.some((mount) => isWithin(path, mount))) return [grant];
  return cgroups.filter((mount) => isWithin(mount, path)).map((mount) => ({ ...grant, path: toBytes(mount), optional: true }));
}

/** What a grant gives of a procfs: the paths in one, or all of those beneath. */
function inside(grant: PolicyGrant, resolvedPath: string | undefined, procfs: readonly string[]): string[] {
  const path = toText(grant.path);
  const real = resolvedPath ?? path;
  // /proc/self is a link and leads to this process: what was meant is the target's own.
  const within = procfs.some((mount) => isWithin(path, mount)) ? [path] : procfs.some((mount) => isWithin(real, mount)) ? [real] : [];
  return [...within, ...procfs.filter((mount) => mount !== real && isWithin(mount, real))];
}

const toText = (path: Uint8Array) => Buffer.from(path).toString('latin1');
const toBytes = (path: string) => Uint8Array.from(Buffer.from(path, 'latin1'));
