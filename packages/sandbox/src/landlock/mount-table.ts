/**
 * The mounts of this process.
 *
 * What is remembered of files by their names is good for as long as the table is the same object: a mount changes no time of the
 * directory that it covers, and what was unmounted takes the rules on its files along. The kernel tells whoever polls an open
 * mountinfo of every mount and unmount since the last look. It does not tell when a directory above a mount is renamed, which
 * changes nothing but the path; so whoever goes by paths reads them anew.
 * proc_pid_mountinfo(5); fs/namespace.c, mounts_poll()
 */
import { AT_FDCWD, KeptFd, O_RDONLY, openat, pollNow, POLLPRI, readFileInto } from '@sandlock/sys';

import { parseMountInfo, type MountPoint } from './mount-points.js';

export type MountTable = readonly MountPoint[];

interface Known {
  readonly file: KeptFd;
  readonly text: Buffer;
  readonly table: MountTable;
}

const FILE = '/proc/self/mountinfo';
let last: Known | undefined;

/** As it is now, paths included. @throws where /proc is not mounted: nothing can be said then */
export function readMountTable(): MountTable {
  const unchanged = last !== undefined && isQuiet(last);
  return unchanged && last?.text.equals(read()) ? last.table : readAnew();
}

/** What the last look has found, unless something was mounted or unmounted since. @throws as {@link readMountTable} */
export function mountTable(): MountTable {
  return last !== undefined && isQuiet(last) ? last.table : readAnew();
}

/** POLLPRI and POLLERR say that the table has changed, POLLNVAL that the descriptor is gone. */
function isQuiet({ file }: Known): boolean {
  return pollNow(file.fd, POLLPRI) === 0;
}

function readAnew(): MountTable {
  last?.file.close();
  last = undefined;
  // Opened first: what changes while the table is read is told at the next look.
  const file = new KeptFd(openat(AT_FDCWD, FILE, O_RDONLY));
  const text = Buffer.from(read());
  last = { file, text, table: parseMountInfo(text.toString('latin1')) };
  return last.table;
}

let buffer = Buffer.alloc(0);

/** The whole text, until the next is read. */
function read(): Buffer {
  for (;;) {
    const length = readFileInto(FILE, buffer);
    if (length < buffer.length) return buffer.subarray(0, length);
    buffer = Buffer.alloc(Math.max(16 * 1024, 2 * buffer.length));
  }
}
