/**
 * --status-fd: how a run ended, as one line of JSON, for programs that must not confuse the exit code of the
 * program with one of ours.
 */
import type { RunResult } from '@sandlock/sandbox';
import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { signalNumber } from '../errors/exit-code.js';
import { errorLines } from '../errors/report.js';
import { UsageError } from '../errors/usage-error.js';
import { writeAll, writeError } from '../terminal/output.js';

/** include/uapi/asm-generic/fcntl.h; O_RDONLY is 0. */
const O_ACCMODE = 3;

/** @throws {UsageError} it is no descriptor that was given to us */
export function statusFd(text: string): number {
  const fd = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (fd < 1) throw new UsageError(`--status-fd: ${JSON.stringify(text)} is no descriptor to write to.`, 'sandlock run');
  try {
    fstatSync(fd);
  } catch {
    throw notGiven(fd, 'is not open');
  }
  if (isOurOwn(fd)) throw notGiven(fd, 'is not open'); // for all that whoever started us knows
  if (isReadEnd(fd)) throw notGiven(fd, 'is not open for writing');
  return fd;
}

function notGiven(fd: number, what: string): UsageError {
  return new UsageError(`--status-fd: descriptor ${fd} ${what}. Open it in the shell, as in "${fd}>status.json".`, 'sandlock run');
}

/**
 * Node opens some before any of our code runs, for its event loops: nobody shall write there. They cannot be told by being
 * close-on-exec, since Node makes what it inherits that as well; but by what they are: nameless files of the kernel, and
 * pipes from this process to itself.
 */
function isOurOwn(fd: number): boolean {
  const file = fileOf(fd);
  if (file?.startsWith('anon_inode:') === true) return true;
  if (file?.startsWith('pipe:') !== true) return false;
  return readdirSync('/proc/self/fd').map(Number).some((other) => fileOf(other) === file && isReadEnd(other));
}

/** `pipe:[1234]`, or a path. */
function fileOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // closed meanwhile
  }
}

/** It is open for reading alone. proc_pid_fdinfo(5) */
function isReadEnd(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & O_ACCMODE) === 0;
  } catch {
    return false;
  }
}

/** `exit_code` is the program's own, and -1 if it has none; `signal` is there if one ended it. */
export function resultStatus(result: RunResult): object {
  return {
    exit_code: result.exitCode ?? -1,
    ...(result.signal === null ? {} : { signal: signalNumber(result.signal) }),
    reason: result.reason,
    duration_ms: Math.round(result.durationMs),
    cpu_ms: { user: Math.round(result.cpu.userMs), system: Math.round(result.cpu.systemMs) },
    peaks: { processes: result.peaks.processes, memory_bytes: result.peaks.memoryBytes },
  };
}

/** The program never ran. */
export function failureStatus(error: unknown): object {
  const code = (error as { code?: unknown }).code;
  return { exit_code: -1, reason: 'not-started', ...(typeof code === 'string' ? { code } : {}), message: errorLines(error).join('; ') };
}

/** The descriptor is the caller's and stays open. A reader that has gone is told of, and changes nothing. */
export function writeStatus(fd: number, status: object): void {
  try {
    writeAll(fd, `${JSON.stringify(status)}\n`);
  } catch (error) {
    writeError(`sandlock: warning: the status could not be written to descriptor ${fd}: ${(error as Error).message}\n`);
  }
}
