/**
 * What one process uses, each page divided by how many have it.
 *
 * The sum over processes is what they use together: a page that a fork shares is counted once in all. It takes a
 * walk over the page tables, so it is asked for only when plain counters are not enough.
 * proc_pid_smaps(5); Documentation/filesystems/proc.rst, "smaps_rollup"
 */
import { readWhole, unlessGone } from '../proc-file.js';

const buffer = Buffer.alloc(65536);
const COUNTED = /^(?:Pss_Anon|Pss_Shmem|SwapPss|Shared_Hugetlb|Private_Hugetlb):\s+(\d+)/gm;
/** A mapping's first line, and how much of it counts. */
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+) *(.*)\n(?:[A-Z].*\n)*?Pss: +(\d+)/gm;

/** @returns undefined for a process that is gone or does not let itself be looked at */
export function readProportional(pid: number): number | undefined {
  return unlessGone(() => {
    let kib = 0;
    for (const [, number] of readWhole(`/proc/${pid}/smaps_rollup`, buffer).matchAll(COUNTED)) kib += Number(number);
    return kib * 1024;
  });
}

/** Of that, what belongs to objects that are counted by themselves. */
export function readMapped(pid: number, isCounted: (path: string, inode: number) => boolean): number {
  return unlessGone(() => {
    let kib = 0;
    for (const [, inode, path, pss] of readWhole(`/proc/${pid}/smaps`, buffer).matchAll(MAPPING)) {
      if (isCounted(path!, Number(inode))) kib += Number(pss);
    }
    return kib * 1024;
  }) ?? 0;
}
