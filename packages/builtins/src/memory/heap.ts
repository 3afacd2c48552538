/**
 * Where the heap of a process ends, and by how much a brk(2) would move it.
 *
 * The call names the new end, not the growth. The last end of each thread is remembered; where there is none, or
 * where the process may have a new program, which has its heap elsewhere, its map is read. A map is as long as the
 * program makes it, so a long one is read in another thread.
 * brk(2), proc_pid_maps(5), proc_pid_stat(5)
 */
import { readFileAside, readFileOnce, SyscallError } from '@sandlock/sys';

import { readSome, unlessGone } from '../proc-file.js';
import { fieldAt, STAT_BYTES, statFields } from '../stat-line.js';

/** More threads than this, and the map is read again. */
const MAX_REMEMBERED = 4096;
const START_BRK = 47; // field of /proc/<pid>/stat
const HEAP = ' [heap]\n';
const HEAP_LINE = /^[0-9a-f]+-([0-9a-f]+) \S+ \S+ \S+ \S+ +\[heap\]\n/;
const NEWLINE = 0x0a;
const PAGE_BYTES = 4096;
/** What is read of a map at once: some eight hundred mappings. */
const AT_ONCE_BYTES = 64 * 1024;
/** The longest map there can be has 65530 lines, and nearly none has a name of many bytes. proc_sys_vm(5), max_map_count */
const MAX_BYTES = 32 * 1024 * 1024;
const buffer = Buffer.alloc(STAT_BYTES);

export class Heaps {
  readonly #ends = new Map<number, number>();

  /** What is remembered. A call that is far from it belongs to another program. */
  remembered(tid: number): number | undefined {
    return this.#ends.get(tid);
  }

  remember(tid: number, end: number): void {
    if (this.#ends.size >= MAX_REMEMBERED) this.#ends.clear();
    this.#ends.set(tid, end);
  }
}

/** The end of the heap as it is, at a page. @returns undefined when that cannot be seen, 'long' where {@link heapEndAside} can tell */
export function heapEnd(tid: number): number | 'long' | undefined {
  return unlessGone(() => {
    const maps = readSome(`/proc/${tid}/maps`, AT_ONCE_BYTES);
    return maps === undefined ? 'long' : endOf(maps) ?? heapStart(tid);
  });
}

/** The same of any map that is not longer than one can be expected to be. */
export async function heapEndAside(tid: number): Promise<number | undefined> {
  try {
    const { bytes, complete } = await readFileAside(`/proc/${tid}/maps`, MAX_BYTES);
    return complete ? endOf(bytes) ?? unlessGone(() => heapStart(tid)) : undefined;
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

/** Of the last mapping that is of the heap: they are in the order of their addresses. */
function endOf(maps: Buffer): number | undefined {
  for (let at = maps.lastIndexOf(HEAP); at >= 0; at = maps.lastIndexOf(HEAP, at - 1)) {
    const line = maps.toString('latin1', maps.lastIndexOf(NEWLINE, at) + 1, at + HEAP.length);
    const end = HEAP_LINE.exec(line)?.[1]; // not a file that is called so
    if (end !== undefined) return Number.parseInt(end, 16);
    if (at === 0) break;
  }
  return undefined;
}

/** Where it begins; 0, which the kernel gives to those who may not know, is no answer. */
function heapStart(tid: number): number | undefined {
  const fields = statFields(buffer.toString('latin1', 0, readFileOnce(`/proc/${tid}/stat`, buffer)), START_BRK) ?? [];
  const start = Number(fieldAt(fields, START_BRK));
  return start > 0 ? Math.ceil(start / PAGE_BYTES) * PAGE_BYTES : undefined;
}
