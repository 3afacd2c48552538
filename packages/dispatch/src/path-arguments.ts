/**
 * Path arguments: which registers of which call point at a path.
 *
 * One table for every call that takes one, so that no spelling of an operation is forgotten where
 * another is looked at. Names are libc's; a call that an architecture lacks is simply never seen there.
 * Linux 6.12, include/linux/syscalls.h; path_resolution(7).
 */

export interface PathArgument {
  /** The register with the path. */
  readonly index: number;
  /** The register with the directory that a relative path starts from; left out: the working directory. */
  readonly dirfd?: number;
  /** Text that is stored and not looked up, as the contents of a symbolic link. */
  readonly stored?: true;
}

const FIRST: readonly PathArgument[] = [{ index: 0 }];
const AT: readonly PathArgument[] = [{ index: 1, dirfd: 0 }];
const TWO: readonly PathArgument[] = [{ index: 0 }, { index: 1 }];
const TWO_AT: readonly PathArgument[] = [{ index: 1, dirfd: 0 }, { index: 3, dirfd: 2 }];

const TABLE: Readonly<Record<string, readonly PathArgument[]>> = {
  open: FIRST, creat: FIRST, openat: AT, openat2: AT,
  execve: FIRST, execveat: AT, uselib: FIRST,
  stat: FIRST, lstat: FIRST, newfstatat: AT, fstatat: AT, fstatat64: AT, statx: AT, statfs: FIRST,
  access: FIRST, faccessat: AT, faccessat2: AT,
  readlink: FIRST, readlinkat: AT,
  mkdir: FIRST, mkdirat: AT, mknod: FIRST, mknodat: AT, rmdir: FIRST,
  unlink: FIRST, unlinkat: AT,
  rename: TWO, renameat: TWO_AT, renameat2: TWO_AT,
  link: TWO, linkat: TWO_AT,
  symlink: [{ index: 0, stored: true }, { index: 1 }],
  symlinkat: [{ index: 0, stored: true }, { index: 2, dirfd: 1 }],
  truncate: FIRST, chdir: FIRST, chroot: FIRST,
  chmod: FIRST, fchmodat: AT, fchmodat2: AT,
  chown: FIRST, lchown: FIRST, fchownat: AT,
  utime: FIRST, utimes: FIRST, futimesat: AT, utimensat: AT,
  getxattr: FIRST, lgetxattr: FIRST, getxattrat: AT,
  setxattr: FIRST, lsetxattr: FIRST, setxattrat: AT,
  listxattr: FIRST, llistxattr: FIRST, listxattrat: AT,
  removexattr: FIRST, lremovexattr: FIRST, removexattrat: AT,
  file_getattr: AT, file_setattr: AT,
  name_to_handle_at: AT, inotify_add_watch: [{ index: 1 }], fanotify_mark: [{ index: 4, dirfd: 3 }],
  mount: TWO, umount2: FIRST, pivot_root: TWO, move_mount: TWO_AT,
  open_tree: AT, open_tree_attr: AT, mount_setattr: AT, fspick: AT,
  swapon: FIRST, swapoff: FIRST, acct: FIRST, quotactl: [{ index: 1 }],
};

/** The path arguments of a call in register order; none for a call that takes no path. */
export function pathArguments(name: string): readonly PathArgument[] {
  return Object.hasOwn(TABLE, name) ? TABLE[name]! : [];
}

/** Every call that takes a path, on whatever architecture. */
export function pathSyscalls(): readonly string[] {
  return Object.keys(TABLE);
}
