/**
 * What lies above mounts that no rule may reach into: see directoriesAbove().
 *
 * A directory above one gets no rule that opens anything, by whatever name it is found. Nor may a program move what leads to a
 * mount out of it into another one: what has been granted of that to programs that run already would hold in the mount from
 * then on. Where it can only be renamed in its place, everything above it stays what it is.
 * landlock(7), LANDLOCK_ACCESS_FS_REFER
 */
import type { Ancestor } from '@sandlock/sys';

import { type Above, directoriesAbove, type MountLooks } from './directories-above.js';
import { Identities } from './identities.js';
import { deviceNumber, isMovable, namesOfMountPoint, SPECIAL, type MountPoint } from './mount-points.js';
import type { MountTable } from './mount-table.js';

export interface MountsAbove {
  readonly directories: Identities;
  /** Those of them out of which nothing may be moved. */
  readonly holding: Identities;
  /** Where directories above the mounts have other names, in another mount: what the mounts are on there. */
  readonly otherNames: readonly string[];
  /** As of all that it is made of. */
  readonly isLasting: Above['isLasting'];
}

/** @throws {Moved} where the mounts are could not be seen */
export function mountsAbove(wanted: readonly MountPoint[], table: MountTable, looks: MountLooks): MountsAbove {
  const special = new Set(table.filter(({ type }) => SPECIAL.includes(type)).map(deviceNumber));
  const directories = new Identities();
  const holding = new Identities();
  const otherNames: string[] = [];
  let isLasting = true;
  const lookAbove = (mount: MountPoint): readonly Ancestor[] => {
    const above = directoriesAbove(mount, table, looks);
    isLasting &&= above.isLasting;
    return above.directories;
  };
  for (const mount of wanted) {
    const above = lookAbove(mount);
    for (const each of above) directories.add(each);
    for (const each of above.slice(lowestHolding(above, special))) holding.add(each);
    if (!isMovable(mount, table)) continue;
    for (const other of namesOfMountPoint(mount, table)) {
      otherNames.push(other.path);
      for (const each of lookAbove(other.mount)) {
        directories.add(each);
        holding.add(each);
      }
    }
  }
  return { directories, holding, otherNames, isLasting };
}

/** The place of the lowest directory that has one on the way which can be moved: nothing is mounted on it. */
function lowestHolding(above: readonly Ancestor[], special: ReadonlySet<bigint>): number {
  const at = above.findIndex((each, i) => i > 0 && above[i - 1]!.mountId === each.mountId && !special.has(each.dev));
  return at < 0 ? above.length : at;
}
