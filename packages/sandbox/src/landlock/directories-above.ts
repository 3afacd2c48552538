/**
 * The directories above a mount, by what they are.
 *
 * A rule on one of them would hold in the mount as well. They are not told by the path that the table of mounts has, for a
 * program may rename them at any moment; a rename changes which name leads there and not which directories are above. So
 * the mount is opened, it is made sure that it is the one, and the way up goes by `..`, as Landlock goes it.
 * landlock(7), "Filesystem actions"; proc_pid_mountinfo(5)
 */
import { type Ancestor, type Ancestry, SyscallError } from '@sandlock/sys';

import { isMovable, leadsInto, type MountPoint } from './mount-points.js';
import type { MountTable } from './mount-table.js';
import { LOOKS, Moved } from './moved.js';

/** What is asked of the machine for this. */
export interface MountLooks {
  mounts(): MountTable;
  /** @throws {SyscallError} as ancestry() */
  ancestry(path: string): Ancestry;
}

export interface Above {
  /** From the one that holds the mount to the root; none where no name leads to it. */
  readonly directories: readonly Ancestor[];
  /** false: a look was refused, and who may take one changes without a sign: modes, and the user that this process acts as. */
  readonly isLasting: boolean;
}

const NOBODY: Above = { directories: [], isLasting: true };
const NOBODY_YET: Above = { directories: [], isLasting: false };

/** Where nothing can be renamed, or where nobody comes by any name, for as long as the table stays the same. */
const kept = new WeakMap<MountTable, Map<MountPoint, Above>>();

/**
 * @param table that has the mount; of this machine
 * @throws {Moved} it was elsewhere at every look
 */
export function directoriesAbove(mount: MountPoint, table: MountTable, looks: MountLooks): Above {
  const known = kept.get(table) ?? new Map<MountPoint, Above>();
  kept.set(table, known);
  const before = known.get(mount);
  if (before !== undefined) return before;
  const movable = isMovable(mount, table);
  const above = lookedFor(mount, table, movable, looks);
  if (above.isLasting && (!movable || above.directories.length === 0)) known.set(mount, above);
  return above;
}

function lookedFor(mount: MountPoint, table: MountTable, movable: boolean, looks: MountLooks): Above {
  let wasElsewhere = false;
  let wasRefused = false;
  let [now, mounts]: [MountPoint | undefined, MountTable] = [mount, table];
  for (let look = 0; look < LOOKS; look++) {
    if (now === undefined) return NOBODY; // unmounted
    const found = lookAt(now.path, looks);
    if (found instanceof Object && found.mountId === mount.id) return { directories: found.above, isLasting: true };
    wasRefused ||= found === 'refused';
    // One that lies beneath another, or in a directory that this user may not enter, is nobody's to reach. A name that says so
    // may be a moment old, and is believed where nobody could have changed it or when it never says anything else.
    const unreachable = found === 'refused' || leadsInto(now.path, mounts) !== now;
    if (unreachable && !movable) break;
    wasElsewhere ||= !unreachable;
    mounts = looks.mounts();
    now = mounts.find(({ id }) => id === mount.id);
  }
  if (wasElsewhere) throw new Moved(mount.path);
  return wasRefused ? NOBODY_YET : NOBODY;
}

export function lookAt(path: string, looks: MountLooks): Ancestry | 'refused' | 'gone' {
  try {
    return looks.ancestry(path);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === 'EACCES') return 'refused';
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return 'gone';
    throw error;
  }
}
