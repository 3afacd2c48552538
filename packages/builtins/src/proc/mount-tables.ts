/**
 * What is mounted, without a word of the machine's own directories.
 *
 * Without a root of its own a sandbox sees one file system; with one, the root and what was mounted into it, under the
 * names that it has inside. Names are bytes, a character a byte, and escaped as the kernel does it.
 * proc_pid_mounts(5), proc_pid_mountinfo(5), proc_pid_mountstats(5); fs/proc_namespace.c
 */
export interface VirtualMount {
  /** Where it is seen; `/` is the root. */
  readonly path: string;
  /** As {@link fileSystemName} says. */
  readonly type: string;
  readonly writable: boolean;
}

/** @param table the root first; undefined: the sandbox has no root of its own */
export type MountTable = readonly [VirtualMount, ...VirtualMount[]] | undefined;

const ROOT_ID = 20;
const PARENT_ID = 1;

export function mounts(table: MountTable): string {
  if (table === undefined) return 'rootfs / rootfs rw 0 0\n';
  return table.map((mount) => `sandlock ${escaped(mount.path)} ${mount.type} ${options(mount)} 0 0\n`).join('');
}

export function mountInfo(table: MountTable): string {
  if (table === undefined) return `${ROOT_ID} ${PARENT_ID} 0:1 / / rw - rootfs rootfs rw\n`;
  return table.map((mount, i) => (
    `${ROOT_ID + i} ${i === 0 ? PARENT_ID : ROOT_ID} 8:1 / ${escaped(mount.path)} ${options(mount)} - ${mount.type} sandlock ${access(mount)}\n`
  )).join('');
}

export function mountStats(table: MountTable): string {
  const line = (device: string, path: string, type: string): string => `device ${device} mounted on ${path} with fstype ${type}\n`;
  if (table === undefined) return line('rootfs', '/', 'rootfs');
  return table.map(({ path, type }) => line('sandlock', escaped(path), type)).join('');
}

function access({ writable }: VirtualMount): string {
  return writable ? 'rw' : 'ro';
}

function options(mount: VirtualMount): string {
  return `${access(mount)},relatime`;
}

/** lib/seq_file.c, mangle_path(); the characters: fs/proc_namespace.c, mangle() */
function escaped(path: string): string {
  return path.replace(/[ \t\n\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
