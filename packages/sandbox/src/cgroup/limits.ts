/**
 * The limits of a control group, as the kernel takes them.
 *
 * Nothing is swapped out: a limit on memory that swap could be had beside would be none. A group beneath cannot be made.
 * Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files", "CPU Interface Files", "Core Interface Files"
 */
import { closeSync, openSync, writeSync } from 'node:fs';

export interface CgroupLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Percent of one processor. */
  readonly cpu?: number;
}

/** Microseconds: short enough that nobody sees a program stutter, long enough for a hundredth of it. */
const PERIOD = 100_000;

/** @throws what a file of the group does not take */
export function setLimits(directory: string, { memory, cpu }: CgroupLimits): void {
  write(directory, 'cgroup.max.descendants', '0');
  if (memory !== undefined) {
    write(directory, 'memory.max', String(memory));
    try {
      write(directory, 'memory.swap.max', '0');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // a kernel without swap
    }
  }
  if (cpu !== undefined) write(directory, 'cpu.max', `${PERIOD * cpu / 100} ${PERIOD}`);
}

/** Into a file that is there: where it is not, nothing is made. */
function write(directory: string, name: string, text: string): void {
  const fd = openSync(Buffer.from(`${directory}/${name}`, 'latin1'), 'r+');
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
