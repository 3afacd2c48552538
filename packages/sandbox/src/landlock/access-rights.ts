/**
 * Access rights: which bits a Landlock ABI version knows, and which of them a grant gives.
 *
 * A bit that the kernel does not know is EINVAL for the whole ruleset, so the version decides first.
 * include/uapi/linux/landlock.h of Linux 7.3; landlock(7).
 */

export const LANDLOCK_ACCESS_FS_EXECUTE = 1n << 0n;
export const LANDLOCK_ACCESS_FS_WRITE_FILE = 1n << 1n;
export const LANDLOCK_ACCESS_FS_READ_FILE = 1n << 2n;
export const LANDLOCK_ACCESS_FS_READ_DIR = 1n << 3n;
export const LANDLOCK_ACCESS_FS_REFER = 1n << 13n;
export const LANDLOCK_ACCESS_FS_TRUNCATE = 1n << 14n;
export const LANDLOCK_ACCESS_FS_IOCTL_DEV = 1n << 15n;
export const LANDLOCK_ACCESS_FS_RESOLVE_UNIX = 1n << 16n;

export const LANDLOCK_ACCESS_NET_BIND_TCP = 1n << 0n;
export const LANDLOCK_ACCESS_NET_CONNECT_TCP = 1n << 1n;

export const LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1n << 0n;
export const LANDLOCK_SCOPE_SIGNAL = 1n << 1n;

/**
 * Every file system right of an ABI version.
 *
 * 1 has bits 0 to 12, from EXECUTE to MAKE_SYM; 2 adds REFER, 3 TRUNCATE, 5 IOCTL_DEV, 9 RESOLVE_UNIX. Versions
 * after the last known one count as that one: new bits need a decision before they are used.
 */
export function knownFsRights(abi: number): bigint {
  let rights = 0x1fffn;
  if (abi >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (abi >= 5) rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  if (abi >= 9) rights |= LANDLOCK_ACCESS_FS_RESOLVE_UNIX;
  return rights;
}

/** What `fsReadable` gives. There is no execution without reading, nor the other way round. */
export const READ_RIGHTS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/** REMOVE_DIR to MAKE_SYM, bits 4 to 12, and REFER: what changes a directory and reads nothing. */
export const ENTRY_RIGHTS = 0x1ff0n | LANDLOCK_ACCESS_FS_REFER;

/** The rights that a rule on something other than a directory may hold; another one there is EINVAL. */
export const FILE_RIGHTS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE
  | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV | LANDLOCK_ACCESS_FS_RESOLVE_UNIX;

/**
 * A rule's rights for what its path turned out to be.
 *
 * @param isDirectory false also where it cannot be told: fewer rights, and no EINVAL
 */
export function accessForTarget(access: bigint, isDirectory: boolean): bigint {
  return isDirectory ? access : access & FILE_RIGHTS;
}
