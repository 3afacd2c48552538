/**
 * What became of a run.
 */
import type { TargetExit } from '@sandlock/sys';
import { constants } from 'node:os';

import type { ProtectionReport } from '../landlock/protection-status.js';

/**
 * `memory`: ended because of maxMemory. `killed`: by any other SIGKILL, from here or elsewhere. `signaled`: by any
 * other signal.
 */
export type ExitReason = 'exited' | 'signaled' | 'killed' | 'memory' | 'timeout';

/** What confined the run, for a record of it. */
export interface RunCapabilities {
  readonly landlockAbi: number;
  readonly protections: readonly ProtectionReport[];
  /** A supervisor answered notifications. */
  readonly supervised: boolean;
  /** Received notifications survive non-fatal signals; Linux 5.19. */
  readonly waitKillable: boolean;
  /** Answers wake the target on this CPU at once; Linux 6.6. */
  readonly syncWakeUp: boolean;
  /** The limits that a control group kept; null: the run had none. */
  readonly cgroup: readonly ('memory' | 'cpu')[] | null;
}

export interface RunResult {
  /** Exit code 0, in time. */
  readonly ok: boolean;
  /** null when a signal ended the program. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
  /** null when it was not captured, or taken as a stream. */
  readonly stdout: Buffer | null;
  readonly stderr: Buffer | null;
  /** stdout as UTF-8 without its trailing newlines. @throws {TypeError} it was not captured, or is not UTF-8 */
  text(): string;
  /** maxBuffer was reached: not all of stdout and stderr is here. */
  readonly truncated: boolean;
  readonly durationMs: number;
  /**
   * `memoryBytes`: largest resident set of one process that was waited for; with maxMemory, what all processes were
   * found to use at once, if that is more. A control group counts cached files as well.
   */
  readonly peaks: { readonly processes: number; readonly memoryBytes: number };
  readonly cpu: { readonly userMs: number; readonly systemMs: number };
  readonly capabilities: RunCapabilities;
}

/** A run whose output was captured. */
export interface CapturedResult extends RunResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface ResultParts {
  readonly exit: TargetExit;
  readonly timedOut: boolean;
  /** The program itself was ended because of maxMemory. */
  readonly memoryExceeded: boolean;
  readonly peakMemoryBytes: number;
  readonly stdout: Buffer | null;
  readonly stderr: Buffer | null;
  readonly truncated: boolean;
  readonly durationMs: number;
  readonly peakProcesses: number;
  readonly capabilities: RunCapabilities;
}

export function runResult(parts: ResultParts): RunResult {
  const { exit, timedOut, stdout } = parts;
  const signal = exit.signal === null ? null : signalName(exit.signal);
  return {
    ok: exit.code === 0 && !timedOut,
    exitCode: exit.code,
    signal,
    reason: timedOut ? 'timeout' : exitReason(signal, parts.memoryExceeded),
    stdout,
    stderr: parts.stderr,
    text: () => {
      if (stdout === null) throw new TypeError('stdout was not captured.');
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(stdout).replace(/\n+$/, '');
    },
    truncated: parts.truncated,
    durationMs: parts.durationMs,
    peaks: { processes: parts.peakProcesses, memoryBytes: Math.max(exit.maxRssBytes, parts.peakMemoryBytes) },
    cpu: { userMs: exit.userMs, systemMs: exit.systemMs },
    capabilities: parts.capabilities,
  };
}

function exitReason(signal: NodeJS.Signals | null, memoryExceeded: boolean): ExitReason {
  if (signal === null) return 'exited';
  if (memoryExceeded) return 'memory';
  return signal === 'SIGKILL' ? 'killed' : 'signaled';
}

const NAMES = new Map<number, NodeJS.Signals>(
  (Object.entries(constants.signals) as [NodeJS.Signals, number][]).reverse().map(([name, number]) => [number, name]));

/** 9 -> 'SIGKILL'; real-time signals, which have no name in Node, are SIGRTMIN+n. */
function signalName(signal: number): NodeJS.Signals {
  return NAMES.get(signal) ?? (`SIGRTMIN+${signal - 34}` as NodeJS.Signals);
}
