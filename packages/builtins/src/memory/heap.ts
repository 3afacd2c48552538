/**
 * Where the heap of a process ends, and by how much a brk(2) would move it.
 *
 * The call names the new end, not the growth. The last end of each thread is remembered; where there is none, or
 * where the process may have a new program, which has its heap elsewhere, its map is read.
 * brk(2), proc_pid_maps(5), proc_pid_stat(5)
 */
import { readFirst, readWhole, unlessGone } from '../proc-file.js';

/** More threads than this, and the map is read again. */
const MAX_REMEMBERED = 4096;
const START_BRK = 47; // field of /proc/<pid>/stat
const HEAP = /^[0-9a-f]+-([0-9a-f]+) \S+ \S+ \S+ \S+ +\[heap\]$/gm;
const PAGE_BYTES = 4096;
const buffer = Buffer.alloc(65536);

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

/** The end of the heap as it is, at a page. @returns undefined when that cannot be seen */
export function heapEnd(tid: number): number | undefined {
  return unlessGone(() => {
    const ends = Array.from(readWhole(`/proc/${tid}/maps`, buffer).matchAll(HEAP), ([, end]) => Number.parseInt(end!, 16));
    return ends.length > 0 ? Math.max(...ends) : heapStart(tid);
  });
}

/** Where it begins; 0, which the kernel gives to those who may not know, is no answer. */
function heapStart(tid: number): number | undefined {
  const line = buffer.toString('latin1', 0, readFirst(`/proc/${tid}/stat`, buffer));
  const start = Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[START_BRK - 3]);
  return start > 0 ? Math.ceil(start / PAGE_BYTES) * PAGE_BYTES : undefined;
}
