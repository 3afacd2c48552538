/**
 * Where this process stands among control groups, and which of those may be its to make others in.
 *
 * That is its own, and the one above: a service manager that delegates puts what it starts into a group beneath the one that
 * it gives away, because a group with processes in it can limit no children. That it was given away shows in its owner, so for root
 * there is none to be found. A slice is its manager's, and is never given away; nor is the root of the hierarchy, unless this
 * process itself was left there.
 * systemd.resource-control(5), Delegate=, DelegateSubgroup=; Documentation/admin-guide/cgroup-v2.rst, "Delegation"
 */
import { existsSync, readFileSync, statSync } from 'node:fs';

import { parseMountInfo } from '../landlock/mount-points.js';

/** What is asked of the machine: replaced by tests. */
export interface CgroupMachine {
  /** /proc/self/mountinfo */
  readonly mounts: string;
  /** /proc/self/cgroup */
  readonly membership: string;
  /** The root of all has no type. */
  isRoot(directory: string): boolean;
  /** It was given away to this process's user. Root may write to all of them, which tells nothing. */
  isGiven(directory: string): boolean;
}

/** Directories, the likeliest first. A character a byte. */
export function ownCgroups(machine: CgroupMachine = thisMachine()): readonly string[] {
  const mount = parseMountInfo(machine.mounts).find(({ type, root }) => type === 'cgroup2' && root === '/')?.path;
  const own = /^0::(\/.*)$/m.exec(machine.membership)?.[1];
  // With a namespace of control groups of its own, one outside of that is spelled with dots.
  if (mount === undefined || own === undefined || own.split('/').includes('..')) return [];
  if (own === '/') return [mount];
  const above = own.slice(0, own.lastIndexOf('/'));
  const parent = `${mount}${above}`;
  const mayServe = !above.endsWith('.slice') && !machine.isRoot(parent) && machine.isGiven(parent);
  return mayServe ? [`${mount}${own}`, parent] : [`${mount}${own}`];
}

function thisMachine(): CgroupMachine {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'latin1'),
    membership: readFileSync('/proc/self/cgroup', 'latin1'),
    isRoot: (directory) => !existsSync(Buffer.from(`${directory}/cgroup.type`, 'latin1')),
    isGiven: (directory) => process.geteuid!() !== 0
      && statSync(Buffer.from(directory, 'latin1'), { throwIfNoEntry: false })?.uid === process.geteuid!(),
  };
}
