/**
 * Holes: what no grant gives through Landlock, however wide it is, when there is a supervisor.
 *
 * A procfs shows every process of the machine, and Landlock cannot tell one directory of it from another: what was
 * granted there is served by the supervisor, object by object. Of a sysfs, what the machine is on the network, its
 * firmware and the kernel's security files are left out. Control groups may be read and not written: whoever owns one
 * could move processes, the program's own included, change limits, and kill whoever is in it. The kernel then refuses
 * every other way to them: another spelling, a link, a descriptor, another thread that changes the path.
 */
import { readdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import { mountPoints, type MountPoint } from './mount-points.js';

export interface Holes {
  /** Served by the supervisor, where granted. A character a byte, as all of these. */
  readonly procfs: readonly string[];
  /** Mount points of sysfs. */
  readonly sysfs: readonly string[];
  /** Mount points of control groups, of either version: nobody writes there. */
  readonly cgroups: readonly string[];
  /** What nobody gets of a sysfs: takes a while, so it is asked for where a grant comes near. */
  blocked(sysfs: string): readonly string[];
}

/** Beneath the mount point of a sysfs. */
const BLOCKED_SYSFS = ['class/net', 'firmware', 'kernel/security'];
const TYPES = new Set(['proc', 'sysfs', 'cgroup', 'cgroup2']);

/** What is asked of the machine: replaced by tests. */
export interface Machine {
  mounts(): readonly MountPoint[];
  /** Directories that hold the network devices, which /sys/class/net has links to. */
  networkDevices(sysfs: string): readonly string[];
}

export function holes(machine: Machine = THIS_MACHINE): Holes {
  const mounts = machine.mounts();
  const of = (...wanted: string[]) => unique(mounts.filter(({ type }) => wanted.includes(type)).map(({ path }) => path));
  return {
    procfs: of('proc'),
    sysfs: of('sysfs'),
    cgroups: of('cgroup', 'cgroup2'),
    blocked: (sysfs) => unique([...BLOCKED_SYSFS.map((name) => `${sysfs}/${name}`), ...machine.networkDevices(sysfs)]),
  };
}

/** Whether `path` is `directory` or lies beneath it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

const THIS_MACHINE: Machine = {
  mounts: () => mountPoints(TYPES),
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

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].sort();
}
