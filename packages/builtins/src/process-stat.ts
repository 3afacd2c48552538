/**
 * What /proc/<pid>/stat says of a process or thread. One that is gone is no error.
 *
 * proc_pid_stat(5)
 */
import { readFileOnce } from '@sandlock/sys';

import { unlessGone } from './proc-file.js';
import { fieldAt, STAT_BYTES, statFields } from './stat-line.js';

export interface ProcessStat {
  readonly pid: number;
  /** One letter: R, S, D, T, t, Z, X, I. */
  readonly state: string;
  readonly ppid: number;
  /** Clock ticks in user mode. */
  readonly utime: number;
  readonly threads: number;
  /** Clock ticks since boot. With the pid it tells a process from a later one of the same number. */
  readonly startTime: number;
}

const buffer = Buffer.alloc(STAT_BYTES);
/** A field behind the last that is read, which may be cut. */
const BEHIND = 23;

/**
 * @returns undefined when there is no such process, or /proc hides it
 * @throws what keeps this process from looking, such as EMFILE: that says nothing about the other
 */
export function readStat(pid: number): ProcessStat | undefined {
  return readLine(`/proc/${pid}/stat`);
}

/** The same of one thread by its id: its own state and times, not those of its process. */
export function readThreadStat(tid: number): ProcessStat | undefined {
  return readLine(`/proc/${tid}/task/${tid}/stat`);
}

/** @returns undefined for what is no such line, or one that was cut off */
export function parseStat(line: Uint8Array): ProcessStat | undefined {
  const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString('latin1');
  const fields = statFields(text, BEHIND);
  if (fields === undefined || fieldAt(fields, BEHIND) === undefined) return undefined;
  const field = (number: number): number => Number.parseInt(fieldAt(fields, number)!, 10);
  const stat = {
    pid: Number.parseInt(text, 10), state: fieldAt(fields, 3)!, ppid: field(4), utime: field(14), threads: field(20), startTime: field(22),
  };
  return Number.isNaN(stat.pid + stat.ppid + stat.utime + stat.threads + stat.startTime) ? undefined : stat;
}

/**
 * Whether the process runs any thread. One whose first thread has ended is a zombie by its state, and lives on
 * while it has others.
 */
export function isLiving({ state, threads }: ProcessStat): boolean {
  return state !== 'X' && state !== 'x' && (state !== 'Z' || threads > 1);
}

/** Whether a process that {@link readStat} does not find is gone, and not hidden from us. proc(5), hidepid */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function readLine(path: string): ProcessStat | undefined {
  return unlessGone(() => parseStat(buffer.subarray(0, readFileOnce(path, buffer))));
}
