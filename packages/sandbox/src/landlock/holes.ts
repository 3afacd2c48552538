/**
 * Holes: what no grant gives through Landlock, however wide it is, when there is a supervisor.
 *
 * A procfs shows every process of the machine, and Landlock cannot tell one directory of it from another: what was
 * granted there is served by the supervisor, object by object. Of a sysfs, what the machine is on the network, its
 * firmware and the kernel's security files are left out. Control groups may be read and not written: whoever owns one
 * could move processes, the program's own included, change limits, and kill whoever is in it. What the machine has where
 * a view stands in for it is left out as well, by every name. The kernel then refuses every other way to them: another
 * spelling, a link, a descriptor, another thread that changes the path.
 */
import { fileIdentity } from '@sandlock/builtins';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { listing } from './listing.js';
import { isWithin, mountedNames, type MountPoint } from './mount-points.js';
import { readMountTable } from './mount-table.js';

export interface Holes {
  /** Served by the supervisor, where granted. A character a byte, as all of these. */
  readonly procfs: readonly string[];
  /** Mount points of sysfs. */
  readonly sysfs: readonly string[];
  /** Mount points of control groups, of either version: nobody writes there. */
  readonly cgroups: readonly string[];
  /** Of all file systems that the kernel makes up. */
  readonly special: readonly string[];
  /** Names of files that views stand in for. */
  readonly files: readonly string[];
  /** The same by what they are: see fileIdentity(). */
  readonly identities: ReadonlySet<string>;
  /** What nobody gets of a sysfs: takes a while, so it is asked for where a grant comes near. */
  blocked(sysfs: string): readonly string[];
}

/** Beneath the mount point of a sysfs. */
const BLOCKED_SYSFS = ['class/net', 'firmware', 'kernel/security'];
const SPECIAL = ['proc', 'sysfs', 'cgroup', 'cgroup2'];
/**
 * Directories with more entries are not divided for the sake of a view, which says what programs are to find and holds
 * nothing back: every start would take as many rules. Nobody keeps /etc or /dev like that.
 */
const MAX_ENTRIES = 2048;

/** What is asked of the machine: replaced by tests. */
export interface Machine {
  mounts(): readonly MountPoint[];
  /** Directories that hold the network devices, which /sys/class/net has links to. */
  networkDevices(sysfs: string): readonly string[];
}

/** @param views names of what views stand in for */
export function holes(views: readonly string[], machine: Machine = THIS_MACHINE): Holes {
  const mounts = machine.mounts();
  const of = (...wanted: string[]) => unique(mounts.filter(({ type }) => wanted.includes(type)).map(({ path }) => path));
  const procfs = of('proc');
  const files = views.filter((path) => !procfs.some((mount) => isWithin(path, mount))).flatMap((path) => viewedFile(path) ?? []);
  return {
    special: of(...SPECIAL),
    files: unique(files.flatMap(({ path }) => mountedNames(path, mounts)).filter(isAmongFew)),
    identities: new Set(files.map(({ identity }) => identity)),
    procfs,
    sysfs: of('sysfs'),
    cgroups: of('cgroup', 'cgroup2'),
    blocked: (sysfs) => unique([...BLOCKED_SYSFS.map((name) => `${sysfs}/${name}`), ...machine.networkDevices(sysfs)]),
  };
}

const THIS_MACHINE: Machine = {
  mounts: readMountTable,
  networkDevices(sysfs) {
    let names: string[];
    try {
      names = readdirSync(Buffer.from(`${sysfs}/class/net`, 'latin1'), 'latin1');
    } catch {
      return []; // no such class: nothing to leave out
    }
    return names.flatMap((name) => {
      try {
        return [dirname(realpathSync.native(Buffer.from(`${sysfs}/class/net/${name}`, 'latin1'), 'latin1'))];
      } catch {
        return []; // unplugged
      }
    });
  },
};

/** undefined: there is none, so whatever is made under that name is the program's own. */
function viewedFile(view: string): { readonly path: string; readonly identity: string } | undefined {
  try {
    const path = realpathSync.native(Buffer.from(view, 'latin1'), 'latin1');
    const identity = fileIdentity(statSync(Buffer.from(path, 'latin1'), { bigint: true }));
    return identity === undefined ? undefined : { path, identity };
  } catch {
    return undefined;
  }
}

function isAmongFew(path: string): boolean {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if (!hasFewEntries(directory)) return false;
    if (directory === '/') return true;
  }
}

function hasFewEntries(directory: string): boolean {
  try {
    return listing(directory).names.length <= MAX_ENTRIES;
  } catch {
    return true; // nobody's to list, and so nobody's to divide
  }
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].sort();
}
