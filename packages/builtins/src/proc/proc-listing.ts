/**
 * The listing of directories whose entries are about the machine: /proc, and the processors in /sys.
 *
 * /proc has the numbers of members and all names that are no number. It is known by what it is, the root of a procfs,
 * and not by a name. Who is a member is asked when the entries are there, so that no process among them is too young.
 */
import type { DirectoryEntry } from '../directory/records.js';
import type { Listing } from '../directory/answer-listing.js';
import { kernelEntries } from '../directory/kernel-entries.js';
import type { Members } from '../views/members.js';
import { visibleCpus, type CpuChoice } from '../cpu/visible-cpus.js';
import { readlinkSync, statfsSync, statSync } from 'node:fs';

import { hasCpus, isOtherCpu } from './cpu-directories.js';

/** include/uapi/linux/magic.h; include/linux/proc_fs.h, PROC_ROOT_INO */
const PROC_SUPER_MAGIC = 0x9fa0;
const PROC_ROOT_INO = 1;

export interface ProcListingOptions extends CpuChoice {
  readonly members: Members;
}

/** Which entries of a directory a target sees. @param fd of ours */
export function visibleEntries(entries: readonly DirectoryEntry[], fd: number, { members, ...choice }: ProcListingOptions): readonly DirectoryEntry[] {
  const link = `/proc/self/fd/${fd}`;
  if (statSync(link).ino === PROC_ROOT_INO && statfsSync(link).type === PROC_SUPER_MAGIC) {
    const pids = new Set(members.pids());
    return entries.filter(({ name }) => !isNumber(name) || pids.has(Number(name.toString('latin1'))));
  }
  const visible = visibleCpus(choice);
  if (visible !== undefined && hasCpus(readlinkSync(link))) return entries.filter(({ name }) => !isOtherCpu(name.toString('latin1'), visible));
  return entries;
}

export function procListing(options: ProcListingOptions): Listing {
  return { next: kernelEntries, visible: (entries, { fd }) => visibleEntries(entries, fd, options) };
}

function isNumber(name: Buffer): boolean {
  return name.every((byte) => byte >= 0x30 && byte <= 0x39);
}
