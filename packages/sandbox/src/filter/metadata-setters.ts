/**
 * Setters of metadata: mode, owner, times, extended attributes, flags.
 *
 * Landlock covers none of them, so a program could change these on every file its user owns, outside all grants
 * and through read-only descriptors. Where nothing is writable nothing needs them, and the filter refuses them.
 * Where something is, this filter cannot tell one file from another and lets them through.
 * Documentation/userspace-api/landlock.rst, "Filesystem flags".
 */
export const METADATA_SETTERS: readonly string[] = [
  'chmod', 'fchmod', 'fchmodat', 'fchmodat2',
  'chown', 'lchown', 'fchown', 'fchownat',
  'utime', 'utimes', 'futimesat', 'utimensat',
  'setxattr', 'lsetxattr', 'fsetxattr', 'setxattrat',
  'removexattr', 'lremovexattr', 'fremovexattr', 'removexattrat',
  'file_setattr',
];

/** The same through ioctl(2), which needs no descriptor open for writing. include/uapi/linux/fs.h, fsverity.h. */
export const METADATA_IOCTLS: Readonly<Record<string, number>> = {
  FS_IOC_SETFLAGS: 0x40086602,
  FS_IOC_SETVERSION: 0x40087602,
  EXT4_IOC_SETVERSION: 0x40086604,
  FS_IOC_FSSETXATTR: 0x401c5820,
  FS_IOC_SETFSLABEL: 0x41009432,
  FS_IOC_SET_ENCRYPTION_POLICY: 0x800c6613,
  FS_IOC_ENABLE_VERITY: 0x40806685,
};
