/**
 * Which file it is, whatever its name: a device by what it is a node of, all others by where they are stored.
 *
 * inode(7); stat(2), st_rdev
 */
import { type EntryStat, S_IFCHR, S_IFMT, S_IFREG } from '@sandlock/sys';

/** @returns undefined for what has no view: directories, links and the like */
export function fileIdentity({ mode, dev, ino, rdev }: EntryStat): string | undefined {
  const type = Number(mode) & S_IFMT;
  if (type === S_IFCHR) return `device ${rdev}`;
  return type === S_IFREG ? `${dev} ${ino}` : undefined;
}
