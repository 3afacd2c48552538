/**
 * What the kernel refuses in directories that everybody may write to, such as /tmp.
 *
 * It does so on the way to an open, on the path; who opens what is pinned already comes to the same object without, so
 * a supervisor has to ask as the kernel would have asked the target.
 * proc_sys_fs(5), protected_symlinks, protected_regular, protected_fifos; fs/namei.c, may_follow_link() and
 * may_create_in_sticky()
 */
import { S_IFIFO, S_IFMT, S_IFREG, S_ISVTX, setfsuid } from '@sandlock/sys';
import { readFileSync, type Stats } from 'node:fs';

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
const NOBODY = 0xffffffff;

const settings = new Map<string, number>();

type Owned = Pick<Stats, 'mode' | 'uid'>;

/** A link in the last place of a path. To be called with the target's ids. */
export function mayFollowLink(link: Owned, directory: () => Owned): boolean {
  const level = setting('protected_symlinks');
  return level === 0 || followsLink(setfsuid(NOBODY), link, directory());
}

/** Something that is there, opened with O_CREAT. To be called with the target's ids. */
export function mayCreateOver(found: Owned, directory: Owned): boolean {
  const type = found.mode & S_IFMT;
  const level = type === S_IFIFO ? setting('protected_fifos') : type === S_IFREG ? setting('protected_regular') : 1;
  return createsOver(level, setfsuid(NOBODY), found, directory);
}

/** @param fsuid of who asks */
export function followsLink(fsuid: number, link: Owned, { mode, uid }: Owned): boolean {
  const open = S_ISVTX | OTHERS_WRITE;
  return link.uid === fsuid || (mode & open) !== open || uid === link.uid;
}

/** @param level of the setting for this type of file; there is none for others, which count as 1 */
export function createsOver(level: number, fsuid: number, found: Owned, directory: Owned): boolean {
  if (level === 0 || (directory.mode & S_ISVTX) === 0) return true;
  if (found.uid === directory.uid || found.uid === fsuid) return true;
  if ((directory.mode & OTHERS_WRITE) !== 0) return false;
  return (directory.mode & GROUP_WRITES) === 0 || level < 2;
}

/** Read once: administrators set it at boot. A kernel without it has nothing to refuse. */
function setting(name: string): number {
  let value = settings.get(name);
  if (value === undefined) {
    try {
      value = Number(readFileSync(`/proc/sys/fs/${name}`, 'latin1'));
    } catch {
      value = 0;
    }
    settings.set(name, value);
  }
  return value;
}
