/**
 * The name of a file system by the number that statfs(2) gives.
 *
 * include/uapi/linux/magic.h and the file systems' own sources; ext2, ext3 and ext4 have one number.
 */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'], [0x9123683e, 'btrfs'], [0x58465342, 'xfs'], [0x01021994, 'tmpfs'], [0x858458f6, 'ramfs'], [0x6969, 'nfs'],
  [0x65735546, 'fuse'], [0xf2f52010, 'f2fs'], [0xff534d42, 'cifs'], [0xfe534d42, 'smb2'], [0x73717368, 'squashfs'], [0x62656572, 'sysfs'],
  [0x9fa0, 'proc'], [0x794c7630, 'overlay'], [0x4d44, 'vfat'], [0x2011bab0, 'exfat'], [0x9660, 'iso9660'], [0x1373, 'devfs'], [0x1cd1, 'devpts'],
  [0x27e0eb, 'cgroup'], [0x63677270, 'cgroup2'], [0x2fc12fc1, 'zfs'], [0xe0f5e1e2, 'erofs'], [0x01021997, '9p'], [0xca451a4e, 'bcachefs'],
  [0x52654973, 'reiserfs'], [0x3153464a, 'jfs'], [0x15013346, 'udf'], [0x958458f6, 'hugetlbfs'], [0x64626720, 'debugfs'], [0x74726163, 'tracefs'],
  [0x6165676c, 'pstore'], [0xde5e81e4, 'efivarfs'], [0x19800202, 'mqueue'], [0x65735543, 'fusectl'], [0x62656570, 'configfs'], [0x73636673, 'securityfs'],
  [0xf97cff8c, 'selinuxfs'], [0xcafe4a11, 'bpf'], [0x42494e4d, 'binfmt_misc'], [0x00c36400, 'ceph'], [0x0bd00bd0, 'lustre'], [0x7461636f, 'ocfs2'],
  [0x01161970, 'gfs2'], [0x5346544e, 'ntfs'], [0x7366746e, 'ntfs3'], [0x24051905, 'ubifs'], [0x3434, 'nilfs'], [0x786f4256, 'vboxsf'],
]);

/** @param magic `f_type`; some architectures give it with a sign */
export function fileSystemName(magic: number): string {
  return NAMES.get(magic >>> 0) ?? 'unknown';
}
