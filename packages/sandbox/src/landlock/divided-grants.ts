/**
 * Divided grants: which part of each grant Landlock gives, and which the supervisor serves.
 *
 * A Landlock rule holds for everything beneath its directory, and no rule takes anything away. So a grant with a hole
 * in it becomes a rule for each entry beside the hole, on every level down to it. The directories on the way get no rule
 * that lets anybody read them, for that would hold in the hole as well: the supervisor opens them on behalf of the
 * target, and for a writable grant they get the rights to make and remove entries. What is an entry only later has no
 * rule and is opened on behalf as well, so it is written down which there are.
 *
 * Whatever gets a rule is named together with what it was when this was decided: see JudgedEntries. A directory above a hole is one
 * under every name, be it that it was renamed a moment ago or that it is mounted elsewhere, too.
 */
import { fileIdentity } from '@sandlock/builtins';
import type { KnownEntries } from '@sandlock/dispatch';
import { type EntryStat, S_IFDIR, S_IFLNK } from '@sandlock/sys';

import { pathBytes, pathText } from '../policy/path-text.js';
import type { PolicyGrant } from '../policy/policy.js';
import { RealPaths } from '../policy/real-paths.js';
import type { Holes } from './holes.js';
import { type Identified, type Identities, identityOf, MISSING } from './identities.js';
import type { LandlockGrant } from './landlock-plan.js';
import { isOfType, type Listing, listingOf, lookedAt } from './listing.js';
import { isWithin } from './mount-points.js';
import { Moved } from './moved.js';

export interface Grants {
  readonly readable: readonly PolicyGrant[];
  readonly writable: readonly PolicyGrant[];
}

export interface DividedGrants {
  readonly landlock: {
    readonly readable: readonly LandlockGrant[];
    readonly writable: readonly LandlockGrant[];
    /** Directories whose entries may be made and removed, and no more. */
    readonly entries: readonly LandlockGrant[];
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

/** @throws {Moved} what is decided on was moved meanwhile; {@link Grants} are to be divided anew, by the mounts of then */
export function divideGrants({ readable, writable }: Grants, holes: Holes, paths = new RealPaths()): DividedGrants {
  const real = ({ path }: PolicyGrant): string | undefined => paths.of(path);
  const granted = [...readable, ...writable].flatMap((grant) => real(grant) ?? []);
  const kept = writable.flatMap((grant) => readOnly(grant, real(grant), holes.cgroups));
  const near = holes.sysfs.filter((mount) => granted.some((path) => isWithin(path, mount) || isWithin(mount, path)));
  const names = [...holes.procfs, ...holes.otherNames, ...holes.files, ...near.flatMap((mount) => holes.blocked(mount))];
  const shown: Without = { names, above: [holes.above, holes.aboveFiles] };
  const written: Without = { names: [...names, ...holes.cgroups], above: [...shown.above, holes.aboveCgroups] };
  const directories = new Map<string, { listing: Listing; writable: boolean }>();
  const entries: LandlockGrant[] = [];
  const split = (
    grants: readonly PolicyGrant[], without: Without, atDirectory?: (grant: LandlockGrant) => void,
  ): LandlockGrant[] => grants.flatMap((grant): LandlockGrant[] => {
    const path = real(grant);
    const stat = path === undefined ? undefined : lookedAt(path);
    if (path === undefined || stat === undefined) return [{ ...grant, judged: MISSING }];
    if (isViewed(stat, holes) || isKept(path, stat, holes)) return [];
    const identity = identityOf(stat);
    const isNear = isAbove(stat, without) || without.names.some((hole) => isWithin(hole, path) || isWithin(path, hole));
    if (!isNear) return [{ ...grant, judged: identity }];
    return around(path, identity, without, holes).map(({ listing: found, beside }) => {
      const directory = found.path;
      const judged = found.identity;
      const known = directories.get(directory);
      directories.set(directory, { listing: found, writable: atDirectory !== undefined || known?.writable === true });
      const divided = { ...grant, path: pathBytes(directory), judged };
      atDirectory?.({ ...divided, holding: holes.holding.has(found.directory) });
      return { ...divided, optional: true, entries: found.judged(beside) };
    });
  });
  return {
    landlock: {
      readable: split([...readable, ...kept], shown),
      writable: split(writable, written, (directory) => entries.push(directory)),
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

/** What a division leaves out: by name, and the directories above it by identity. */
interface Without {
  readonly names: readonly string[];
  readonly above: readonly Identities[];
}

interface Level {
  readonly listing: Listing;
  /** Entries that have nothing to do with a hole. */
  readonly beside: readonly string[];
}

/** The directories from `path`, which is this one, down to its holes, with what of each is none. */
function around(path: string, identity: string, without: Without, holes: Holes): Level[] {
  if (without.names.some((hole) => isWithin(path, hole))) return [];
  const found = listingOf(path, identity, { kept: !isSpecial(path, holes) });
  const prefix = path === '/' ? '/' : `${path}/`;
  const inner = without.names.filter((hole) => hole.startsWith(prefix));
  const onTheWay = new Set(inner.map((hole) => hole.slice(prefix.length).split('/', 1)[0]!));
  const { dev } = found.directory;
  const isOrdinary = !holes.specialDevices.has(dev);
  const beside: string[] = [];
  const below: Level[] = [];
  for (const [name, entry] of found.entries) {
    // What a link leads to has a rule of its own if it lies beneath this grant, and was not granted if it does not.
    if (isOfType(entry, S_IFLNK) || isViewed(entry, holes)) continue;
    if (!(isOrdinary && entry.dev === dev) && isKept(prefix + name, entry, holes)) continue;
    if (onTheWay.has(name) || (isOfType(entry, S_IFDIR) && isAbove(entry, without))) below.push(...around(prefix + name, identityOf(entry), { ...without, names: inner }, holes));
    else beside.push(name);
  }
  return [{ listing: found, beside }, ...below];
}

function isAbove(found: Identified, { above }: Without): boolean {
  return above.some((directories) => directories.has(found));
}

/** Whether it is of a procfs, whatever its name. @throws {Moved} of another file system of the kernel's own, which is said to be elsewhere */
function isKept(path: string, stat: EntryStat, holes: Holes): boolean {
  if (holes.procfsDevices.has(stat.dev)) return true;
  if (holes.specialDevices.has(stat.dev) && !isSpecial(path, holes)) throw new Moved(path);
  return false;
}

function isSpecial(path: string, { special }: Holes): boolean {
  return special.some((mount) => isWithin(path, mount));
}

function isViewed(stat: EntryStat, { identities }: Holes): boolean {
  return identities.has(fileIdentity(stat) ?? '');
}

/** What a writable grant has of control groups: for reading. */
function readOnly(grant: PolicyGrant, path: string | undefined, cgroups: readonly string[]): PolicyGrant[] {
  if (path === undefined) return [];
  if (cgroups.some((mount) => isWithin(path, mount))) return [grant];
  return cgroups.filter((mount) => isWithin(mount, path)).map((mount) => ({ ...grant, path: pathBytes(mount), optional: true }));
}

/** What a grant gives of a procfs: the paths in one, or all of those beneath. */
function inside(grant: PolicyGrant, resolvedPath: string | undefined, procfs: readonly string[]): string[] {
  const path = pathText(grant.path);
  const real = resolvedPath ?? path;
  // /proc/self is a link and leads to this process: what was meant is the target's own.
  const within = procfs.some((mount) => isWithin(path, mount)) ? [path] : procfs.some((mount) => isWithin(real, mount)) ? [real] : [];
  return [...within, ...procfs.filter((mount) => mount !== real && isWithin(mount, real))];
}
