/**
 * What one process uses, from the counters that the kernel keeps anyway.
 *
 * Reading them costs the same whatever the process has mapped. They count a page once for every process that has it,
 * so a sum over processes is never too small for what they have in common, and may be too large.
 * proc_pid_status(5)
 */
import { readFileOnce } from '@sandlock/sys';

import { unlessGone } from '../proc-file.js';

export interface MemoryStatus {
  /** The process, also where a thread was asked about. */
  readonly pid: number;
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

/** @returns undefined for a process without memory: gone, or a zombie */
export function readMemoryStatus(tid: number): MemoryStatus | undefined {
  const length = unlessGone(() => readFileOnce(`/proc/${tid}/status`, buffer));
  return length === undefined ? undefined : parseMemoryStatus(buffer.toString('latin1', 0, length));
}

export function parseMemoryStatus(text: string): MemoryStatus | undefined {
  const pid = /^Tgid:\s+(\d+)/m.exec(text);
  if (pid === null || !text.includes('\nVmSize:')) return undefined;
  let kib = 0;
  for (const [, number] of text.matchAll(COUNTED)) kib += Number(number);
  return {
    pid: Number(pid[1]), usedBytes: kib * 1024, sharedBytes: Number(SHARED.exec(text)?.[1] ?? 0) * 1024, descriptors: Number(DESCRIPTORS.exec(text)?.[1]), likeness: (text.match(COMPARED) ?? []).join(),
  };
}
