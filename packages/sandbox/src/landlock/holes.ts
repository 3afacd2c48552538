/**
 * Holes: what no grant gives through Landlock, however wide it is, when there is a supervisor.
 *
 * A procfs shows every process of the machine, and Landlock cannot tell one directory of it from another: what was
 * granted there is served by the supervisor, object by object. Of a sysfs, what the machine is on the network, its
 * firmware and the kernel's security files are left out. Control groups may be read and not written: whoever owns one
 * could move processes, the program's own included, change limits, and kill whoever is in it. What the machine has where
 * a view stands in for it is left out as well, by every name. The kernel then refuses every other way to them: another
 * spelling, a link, a descriptor, another thread that changes the path.
 *
 * Names are what the table of mounts says, and a program that may rename what is above a mount makes them wrong a moment
 * later; so what must not be reached is known by device and inode as well.
 */
import { fileIdentity, type View } from '@sandlock/builtins';
import { ancestry } from '@sandlock/sys';
import { readdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import { lookAt, type MountLooks } from './directories-above.js';
import { type Identified, Identities } from './identities.js';
import { listing } from './listing.js';
import { deviceNumber, isMovable, isWithin, mountedNames, SPECIAL } from './mount-points.js';
import { mountsAbove } from './mounts-above.js';
import { type MountTable, readMountTable } from './mount-table.js';
import { Moved } from './moved.js';

export interface Holes {
  /** Served by the supervisor, where granted. A character a byte, as all of these. */
  readonly procfs: readonly string[];
  /** Mount points of sysfs. */
  readonly sysfs: readonly string[];
  /** Mount points of control groups, of either version: nobody writes there. */
  readonly cgroups: readonly string[];
  /** Of all file systems that the kernel makes up. */
  readonly special: readonly string[];
  /** Their device numbers, and those of procfs alone. */
  readonly specialDevices: ReadonlySet<bigint>;
  readonly procfsDevices: ReadonlySet<bigint>;
  /** What a procfs or a sysfs is mounted on, by its names in other mounts. */
  readonly otherNames: readonly string[];
  /** Directories above these, above control groups, and above files that views stand in for. */
  readonly above: Identities;
  readonly aboveCgroups: Identities;
  readonly aboveFiles: Identities;
  /** Directories out of which nothing is moved: see mountsAbove(). */
  readonly holding: Identities;
  /** false: a look was refused, and where these are is to be asked at each start. See Above. */
  readonly isLasting: boolean;
  /** Names of files that views stand in for, and of what is absent with everything beneath. */
  readonly files: readonly string[];
  /** Those files by what they are: see fileIdentity(). */
  readonly identities: ReadonlySet<string>;
  /** What nobody gets of a sysfs: takes a while, so it is asked for where a grant comes near. */
  blocked(sysfs: string): readonly string[];
}

/** Beneath the mount point of a sysfs. */
const BLOCKED_SYSFS = ['class/net', 'firmware', 'kernel/security'];
/**
 * Directories with more entries are not divided for the sake of a view, which says what programs are to find and holds
 * nothing back: every start would take as many rules. Nobody keeps /etc or /dev like that.
 */
const MAX_ENTRIES = 2048;

/** What is asked of the machine: replaced by tests. */
export interface Machine extends MountLooks {
  /** Directories that hold the network devices, which /sys/class/net has links to. */
  networkDevices(sysfs: string): readonly string[];
}

/**
 * @param views what stands in for something of the machine's, or says that it is absent
 * @throws {Moved} where something is mounted could not be seen
 */
export function holes(views: readonly Pick<View, 'path' | 'absent'>[], machine: Machine = THIS_MACHINE): Holes {
  const mounts = machine.mounts();
  const ofMounts = mountHoles(mounts, machine);
  const isFew = amongFew();
  const outside = views.filter(({ path }) => !ofMounts.procfs.some((mount) => isWithin(path, mount)));
  const files = outside.flatMap(({ path, absent }) => (absent === true ? [] : viewedFile(path, mounts, isFew, machine) ?? []));
  const absent = outside.flatMap((view) => (view.absent === true ? mountedNames(view.path, mounts).filter(isFew) : []));
  return {
    ...ofMounts,
    aboveFiles: new Identities(...files.map(({ above }) => above)),
    files: unique([...files.flatMap(({ names }) => names), ...absent]),
    identities: new Set(files.map(({ identity }) => identity)),
    blocked: (sysfs) => unique([...BLOCKED_SYSFS.map((name) => `${sysfs}/${name}`), ...machine.networkDevices(sysfs)]),
  };
}

type MountHoles = Omit<Holes, 'files' | 'aboveFiles' | 'identities' | 'blocked'>;

/** Of tables in which nothing that matters can be renamed. */
const kept = new WeakMap<MountTable, MountHoles>();

function mountHoles(mounts: MountTable, machine: Machine): MountHoles {
  const before = kept.get(mounts);
  if (before !== undefined) return before;
  const special = mounts.filter(({ type }) => SPECIAL.includes(type));
  const of = (...wanted: string[]) => special.filter(({ type }) => wanted.includes(type));
  const at = (...wanted: string[]) => unique(of(...wanted).map(({ path }) => path));
  const shown = mountsAbove(of('proc', 'sysfs'), mounts, machine);
  const written = mountsAbove(of('cgroup', 'cgroup2'), mounts, machine);
  const found = {
    procfs: at('proc'),
    sysfs: at('sysfs'),
    cgroups: at('cgroup', 'cgroup2'),
    special: at(...SPECIAL),
    specialDevices: new Set(special.map(deviceNumber)),
    procfsDevices: new Set(of('proc').map(deviceNumber)),
    otherNames: shown.otherNames,
    above: shown.directories,
    aboveCgroups: written.directories,
    holding: new Identities(shown.holding, written.holding),
    isLasting: shown.isLasting && written.isLasting,
  };
  if (found.isLasting && !special.some((mount) => isMovable(mount, mounts))) kept.set(mounts, found);
  return found;
}

const THIS_MACHINE: Machine = {
  mounts: readMountTable,
  ancestry: (path) => ancestry(Buffer.from(path, 'latin1')),
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

interface ViewedFile {
  readonly identity: string;
  /** Those of its names that are to be left out, and the directories above it then. */
  readonly names: readonly string[];
  readonly above: readonly Identified[];
}

/** undefined: there is none, so whatever is made under that name is the program's own. @throws {Moved} */
function viewedFile(view: string, mounts: MountTable, isFew: (path: string) => boolean, machine: Machine): ViewedFile | undefined {
  let path: string;
  try {
    path = realpathSync.native(Buffer.from(view, 'latin1'), 'latin1');
  } catch {
    return undefined;
  }
  const found = lookAt(path, machine);
  if (found === 'gone') throw new Moved(path);
  const identity = found === 'refused' ? undefined : fileIdentity(found);
  if (found === 'refused' || identity === undefined) return undefined;
  const names = mountedNames(path, mounts).filter(isFew);
  return { identity, names, above: names.includes(path) ? found.above : [] };
}

/** Whether each directory down to a path has few entries. Many paths have most of theirs in common, so each is looked at once. */
function amongFew(): (path: string) => boolean {
  const known = new Map<string, boolean>();
  const isFew = (directory: string): boolean => {
    let few = known.get(directory);
    if (few === undefined) {
      few = hasFewEntries(directory) && (directory === '/' || isFew(dirname(directory)));
      known.set(directory, few);
    }
    return few;
  };
  return (path) => isFew(dirname(path));
}

function hasFewEntries(directory: string): boolean {
  try {
    return listing(directory).count <= MAX_ENTRIES;
  } catch {
    return true; // nobody's to list, and so nobody's to divide
  }
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].sort();
}
