/**
 * The processors that a sandbox sees.
 *
 * Those it was granted, or the first so many of them; where none were chosen, the first so many there could be, whatever
 * the machine has. Every call and file that names processors of a task goes by this, so that none contradicts another.
 */
import { schedGetaffinity } from '@sandlock/sys';

import { firstCpus, lowest, maskFromBytes, maskOf, type CpuMask } from './cpu-mask.js';

export interface CpuChoice {
  /** Processors that the sandbox was started on and may not leave. Left out: the supervisor's. */
  readonly cpuCores?: readonly number[] | undefined;
  /** How many there seem to be: the first of the granted ones, or from 0 on. Left out: those there are. */
  readonly numCpus?: number | undefined;
}

export class VisibleCpus {
  /** What the first process was started with. */
  readonly granted: CpuMask;
  readonly visible: CpuMask;

  constructor({ cpuCores, numCpus }: CpuChoice) {
    this.granted = cpuCores === undefined ? cpusOf(0) : maskOf(cpuCores);
    this.visible = visibleCpus({ cpuCores, numCpus }) ?? this.granted;
  }

  /** What a thread sees of what it may run on: all of them if that was never set, or what is left of it. @throws {SyscallError} ESRCH */
  of(thread: number): CpuMask {
    const now = cpusOf(thread);
    const left = now & this.visible;
    return now === this.granted || left === 0n ? this.visible : left;
  }
}

/** undefined: those that were granted are seen. */
export function visibleCpus({ cpuCores, numCpus }: CpuChoice): CpuMask | undefined {
  if (numCpus === undefined) return undefined;
  return cpuCores === undefined ? firstCpus(numCpus) : lowest(maskOf(cpuCores), numCpus);
}

function cpusOf(thread: number): CpuMask {
  return maskFromBytes(schedGetaffinity(thread));
}
