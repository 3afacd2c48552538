/**
 * The mounts of this process, read anew when they have changed.
 *
 * The kernel says so to whoever polls an open mountinfo: every mount and unmount in this namespace since it was opened, or last
 * polled. What is remembered of files by their names is good for as long as the table is the same object: a mount changes
 * no time of the directory that it covers, and what was unmounted takes the rules on its files along.
 * proc_pid_mountinfo(5); fs/namespace.c, mounts_poll()
 */
import { AT_FDCWD, KeptFd, O_RDONLY, openat, POLLERR, pollNow, POLLPRI } from '@sandlock/sys';
import { readFileSync } from 'node:fs';

import { parseMountInfo, type MountPoint } from './mount-points.js';

export type MountTable = readonly MountPoint[];

let last: { readonly file: KeptFd; readonly table: MountTable } | undefined;

/** @throws where /proc is not mounted: nothing can be said then */
export function mountTable(): MountTable {
  if (last !== undefined && (pollNow(last.file.fd, POLLPRI) & (POLLPRI | POLLERR)) === 0) return last.table;
  last?.file.close();
  last = undefined;
  // Opened first: what changes while the table is read is told at the next look.
  const file = new KeptFd(openat(AT_FDCWD, '/proc/self/mountinfo', O_RDONLY));
  last = { file, table: parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1')) };
  return last.table;
}
