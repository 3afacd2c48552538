/**
 * /proc/<pid>/stat, read without trusting what a process calls itself.
 *
 * The second field is a name of the process's own choice, with brackets, blanks and newlines if it likes. What
 * follows the last ')' is numbers, so fields are counted from there. A process that is gone is no error.
 * proc_pid_stat(5)
 */
import { readFileOnce } from '@sandlock/sys';

import { unlessGone } from './proc-file.js';

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

/** The longest line is far shorter: 16 bytes of name, 52 numbers. */
const buffer = Buffer.alloc(4096);
const CLOSING_BRACKET = 0x29;

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
  const nameEnd = line.lastIndexOf(CLOSING_BRACKET);
  if (nameEnd < 0) return undefined;
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
  const pid = Number.parseInt(bytes.toString('latin1', 0, 12), 10);
  const fields = bytes.toString('latin1', nameEnd + 2).split(' '); // the state, field 3, comes first
  if (fields.length <= 20) return undefined; // a field behind the last that is read, or it may be cut
  const field = (number: number): number => Number.parseInt(fields[number - 3] ?? '', 10);
  const stat = {
    pid, state: fields[0]!, ppid: field(4), utime: field(14), threads: field(20), startTime: field(22),
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
