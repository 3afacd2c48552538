/**
 * Divided grants: which part of each grant Landlock gives, and which the supervisor serves.
 *
 * A Landlock rule holds for everything beneath its directory, and no rule takes anything away. So a grant with a hole
 * in it becomes a rule for each entry beside the hole, on every level down to it. The directories on the way get no rule
 * that lets anybody read them, for that would hold in the hole as well: the supervisor opens them on behalf of the
 * target, and for a writable grant they get the rights to make and remove entries.
 */
import { lstatSync, readdirSync, realpathSync } from 'node:fs';

import type { PolicyGrant } from '../policy/policy.js';
import { isWithin, type Holes } from './holes.js';

export interface Grants {
  readonly readable: readonly PolicyGrant[];
  readonly writable: readonly PolicyGrant[];
}

export interface DividedGrants {
  readonly landlock: Grants & {
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
  };
}

export function divideGrants({ readable, writable }: Grants, holes: Holes): DividedGrants {
  // Each is looked up once: a policy may grant a great many.
  const real = new Map([...readable, ...writable].map((grant) => [grant, resolved(grant)]));
  const granted = [...real.values()].flatMap((path) => path ?? []);
  const near = holes.sysfs.filter((mount) => granted.some((path) => isWithin(path, mount) || isWithin(mount, path)));
  const all = [...holes.procfs, ...near.flatMap((mount) => holes.blocked(mount))];
  const directories = new Set<string>();
  const entries: PolicyGrant[] = [];
  const split = (
    grants: readonly PolicyGrant[], without: readonly string[], atDirectory: (grant: PolicyGrant) => void,
  ): PolicyGrant[] => grants.flatMap((grant) => {
    const path = real.get(grant);
    if (path === undefined) return [grant];
    return around(path, without, (directory) => {
      directories.add(directory);
      atDirectory({ ...grant, path: toBytes(directory) });
    }).map((each) => (each === path ? grant : { ...grant, path: toBytes(each), optional: true }));
  });
  return {
    landlock: {
      readable: [...split(readable, all, () => undefined), ...writable.flatMap((grant) => readOnly(grant, real.get(grant), holes.cgroups))],
      writable: split(writable, [...all, ...holes.cgroups], (directory) => entries.push(directory)),
      entries,
    },
    served: {
      readable: readable.flatMap((grant) => inside(grant, real.get(grant), holes.procfs)),
      writable: writable.flatMap((grant) => inside(grant, real.get(grant), holes.procfs)),
      directories: [...directories].sort(),
    },
  };
}

/** The paths that together are `path` without its holes. */
function around(path: string, holes: readonly string[], onDirectory: (directory: string) => void): string[] {
  if (holes.some((hole) => isWithin(path, hole))) return [];
  const inner = holes.filter((hole) => isWithin(hole, path));
  if (inner.length === 0) return [path];
  onDirectory(path);
  return readdirSync(Buffer.from(path, 'latin1'), 'latin1').flatMap((name) => {
    const entry = path === '/' ? `/${name}` : `${path}/${name}`;
    // What a link leads to has a rule of its own if it lies beneath this grant, and was not granted if it does not.
    return isLink(entry) ? [] : around(entry, inner, onDirectory);
  });
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

/** undefined: it is not there any more, which whoever opens it will find. */
function resolved({ path }: PolicyGrant): string | undefined {
  try {
    return realpathSync.native(Buffer.from(path), 'latin1');
  } catch {
    return undefined;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(Buffer.from(path, 'latin1')).isSymbolicLink();
  } catch {
    return true; // gone
  }
}

const toText = (path: Uint8Array) => Buffer.from(path).toString('latin1');
const toBytes = (path: string) => Uint8Array.from(Buffer.from(path, 'latin1'));
