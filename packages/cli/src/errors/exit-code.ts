/**
 * Exit codes, as other commands that run commands have them. env(1), timeout(1), "EXIT STATUS".
 *
 * The program's own code is passed through, so these can also be its own; --status-fd tells them apart.
 */
import type { ConfinementErrorCode, ProcessErrorCode, RunResult } from '@sandlock/sandbox';
import { constants } from 'node:os';

import { UsageError } from './usage-error.js';

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_TIMEOUT = 124;
/** The machine cannot confine as asked, or a step before exec failed. */
export const EXIT_SETUP = 126;
/** The program could not be executed. */
export const EXIT_EXEC = 127;
const SIGNAL_BASE = 128;

/** By code, not by class: the classes are in the library, which not every command loads. */
const EXIT_CODES: Record<ConfinementErrorCode, number> & Partial<Record<ProcessErrorCode, number>> = {
  ERR_SANDLOCK_EXEC: EXIT_EXEC,
  ERR_SANDLOCK_SPAWN: EXIT_SETUP,
  ERR_SANDLOCK_CHILD_SETUP: EXIT_SETUP,
  ERR_SANDLOCK_LANDLOCK: EXIT_SETUP,
  ERR_SANDLOCK_LANDLOCK_UNAVAILABLE: EXIT_SETUP,
  ERR_SANDLOCK_PROTECTION_UNAVAILABLE: EXIT_SETUP,
  ERR_SANDLOCK_FILES_MOVING: EXIT_SETUP,
  ERR_SANDLOCK_SECCOMP: EXIT_SETUP,
  ERR_SANDLOCK_LISTENER_BUSY: EXIT_SETUP,
  ERR_SANDLOCK_VDSO: EXIT_SETUP,
  ERR_SANDLOCK_CGROUP: EXIT_SETUP,
  ERR_SANDLOCK_CONFINE_UNSUPPORTED: EXIT_SETUP,
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_USAGE;
  const code = (error as { code?: unknown } | null)?.code;
  return Object.hasOwn(EXIT_CODES, String(code)) ? EXIT_CODES[code as ProcessErrorCode]! : EXIT_FAILURE;
}

export function exitCodeOfRun({ reason, exitCode, signal }: Pick<RunResult, 'reason' | 'exitCode' | 'signal'>): number {
  if (reason === 'timeout') return EXIT_TIMEOUT;
  return exitCode ?? SIGNAL_BASE + signalNumber(signal!);
}

/** Also of real-time signals, which Node has no names for: SIGRTMIN+n, as signal(7) counts them. */
export function signalNumber(signal: string): number {
  const realTime = /^SIGRTMIN\+(-?\d+)$/.exec(signal);
  return realTime === null ? constants.signals[signal as NodeJS.Signals] : 34 + Number(realTime[1]);
}
