/**
 * What one process uses, each page divided by how many have it.
 *
 * The sum over processes is what they use together: a page that a fork shares is counted once in all. It takes a walk
 * over the page tables and over every mapping, as many as a program likes to make, so it is asked for only when plain
 * counters are not enough, and in another thread.
 * proc_pid_smaps(5); Documentation/filesystems/proc.rst, "smaps_rollup"
 */
import { readFileAside, SyscallError } from '@sandlock/sys';

/** One entry for the whole of it. */
const ROLLUP_BYTES = 64 * 1024;
const COUNTED = /^(Pss_Anon|Pss_Shmem|SwapPss|Shared_Hugetlb|Private_Hugetlb):\s+(\d+)/gm;
/** A mapping's first line, and how much of it counts. */
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+) *(.*)\n(?:[A-Z].*\n)*?Pss: +(\d+)/gm;

export interface Proportional {
  readonly bytes: number;
  /** Of that, what could belong to a memfd or a segment. */
  readonly sharedBytes: number;
  readonly busyMs: number;
}

const GONE: Proportional = { bytes: 0, sharedBytes: 0, busyMs: 0 };

/** @returns nothing of a process that is gone; undefined where it does not let itself be looked at */
export function readProportional(pid: number): Promise<Proportional | undefined> {
  return lookedAt(GONE, async () => {
    const { bytes: text, busyMs } = await readFileAside(`/proc/${pid}/smaps_rollup`, ROLLUP_BYTES);
    let [bytes, sharedBytes] = [0, 0];
    for (const [, field, kib] of text.toString('latin1').matchAll(COUNTED)) {
      bytes += Number(kib) * 1024;
      if (field === 'Pss_Shmem') sharedBytes += Number(kib) * 1024;
    }
    return { bytes, sharedBytes, busyMs };
  });
}

export interface Mapped {
  readonly bytes: number;
  readonly textBytes: number;
}

const NOTHING: Mapped = { bytes: 0, textBytes: 0 };

/** What of it belongs to some objects, by as many of its mappings as this text has room for: at least so much. */
export async function readMapped(pid: number, maxTextBytes: number, isCounted: (path: string, inode: number) => boolean): Promise<Mapped> {
  return await lookedAt(NOTHING, async () => {
    const { bytes: text } = await readFileAside(`/proc/${pid}/smaps`, maxTextBytes);
    let kib = 0;
    for (const [, inode, path, pss] of text.toString('latin1').matchAll(MAPPING)) if (isCounted(path!, Number(inode))) kib += Number(pss);
    return { bytes: kib * 1024, textBytes: text.length };
  }) ?? NOTHING;
}

async function lookedAt<T>(gone: T, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return gone;
    if (error.code === 'EACCES' || error.code === 'EPERM') return undefined;
    throw error;
  }
}
