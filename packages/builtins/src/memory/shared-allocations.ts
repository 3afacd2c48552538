/**
 * How much shared memory the machine has come to have since the last look.
 *
 * A process that maps what another one has filled grows by its counters, and nothing is used for it. What is new in all is
 * the most that such growth can come to; others on the machine may add to that, or take from it what they give back.
 * proc_meminfo(5), Shmem
 */
import { readFileOnce } from '@sandlock/sys';

const buffer = Buffer.alloc(4096);
const SHMEM = /^Shmem:\s+(\d+)/m;

export class SharedAllocations {
  #lastBytes = sharedBytes();

  /** Bytes since it was asked, or since there is this. */
  grown(): number {
    const before = this.#lastBytes;
    this.#lastBytes = sharedBytes();
    return Math.max(0, this.#lastBytes - before);
  }
}

function sharedBytes(): number {
  const kib = SHMEM.exec(buffer.toString('latin1', 0, readFileOnce('/proc/meminfo', buffer)))?.[1];
  if (kib === undefined) throw new Error('/proc/meminfo does not say how much memory is shared.');
  return Number(kib) * 1024;
}
