/**
 * What the flags of stat(2)'s like may hold; the kernel refuses all else with EINVAL.
 *
 * include/uapi/linux/fcntl.h; fs/stat.c, vfs_statx()
 */
import { AT_EMPTY_PATH } from '@sandlock/sys';

export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_STATX_SYNC_TYPE = 0x6000;
export const STAT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
