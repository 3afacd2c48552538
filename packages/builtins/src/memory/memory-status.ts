/**
 * What one process uses, from the counters that the kernel keeps anyway.
 *
 * Reading them costs the same whatever the process has mapped. They count a page once for every process that has it,
 * so a sum over processes is never too small for what they have in common, and may be too large.
 *
 * A process whose first thread has ended lives on in the others. Under its own number /proc has nothing of its memory and
 * descriptors then, so one of the others stands for it.
 * proc_pid_status(5); pthread_exit(3), NOTES
 */
import { readFileOnce } from '@sandlock/sys';

import { listThreads } from '../process-children.js';
import { unlessGone } from '../proc-file.js';

export interface MemoryStatus {
  /** The process, also where a thread was asked about. */
  readonly pid: number;
  /** The thread that was found to have memory: the first one, as long as that lives. */
  readonly tid: number;
  /** Anonymous, shared and huge pages, what is in swap, and the tables that map it all. Pages of files are the host's. */
  readonly usedBytes: number;
  /** The shared pages among it. */
  readonly sharedBytes: number;
  /** Room for so many in its table of descriptors. */
  readonly descriptors: number;
  /** Equal for two processes that share an address space, hardly ever for others. */
  readonly likeness: string;
}

/** With the most groups that a process can be in, some 720 kB. limits.h, NGROUPS_MAX */
const buffer = Buffer.alloc(1 << 20);
const COUNTED = /^(?:RssAnon|RssShmem|VmPTE|VmSwap|HugetlbPages):\s+(\d+)/gm;
const SHARED = /^RssShmem:\s+(\d+)/m;
const DESCRIPTORS = /^FDSize:\s+(\d+)/m;
const COMPARED = /^(?:VmPeak|VmSize|VmHWM|VmData|VmStk|VmPTE):.*/gm;

/** Threads may come and go between the list of them and a look at one. */
const MAX_LISTS = 8;
const SEVERAL = /^Threads:\t(?:[2-9]|\d\d)/m;

/** @returns undefined for a process without memory: gone, or a zombie with all of its threads */
export function readMemoryStatus(tid: number): MemoryStatus | undefined {
  for (let n = 0; n < MAX_LISTS; n++) {
    const text = readStatus(tid);
    const status = text === undefined ? undefined : parseMemoryStatus(text);
    if (text === undefined || status !== undefined || !SEVERAL.test(text)) return status;
    for (const other of listThreads(tid)) {
      const found = other === tid ? undefined : parseMemoryStatus(readStatus(other) ?? '');
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function readStatus(tid: number): string | undefined {
  const length = unlessGone(() => readFileOnce(`/proc/${tid}/status`, buffer));
  return length === undefined ? undefined : buffer.toString('latin1', 0, length);
}

export function parseMemoryStatus(text: string): MemoryStatus | undefined {
  const pid = /^Tgid:\s+(\d+)/m.exec(text);
  if (pid === null || !text.includes('\nVmSize:')) return undefined;
  let kib = 0;
  for (const [, number] of text.matchAll(COUNTED)) kib += Number(number);
  return {
    pid: Number(pid[1]), tid: Number(/^Pid:\s+(\d+)/m.exec(text)?.[1]), usedBytes: kib * 1024, sharedBytes: Number(SHARED.exec(text)?.[1] ?? 0) * 1024, descriptors: Number(DESCRIPTORS.exec(text)?.[1]), likeness: (text.match(COMPARED) ?? []).join(),
  };
}
