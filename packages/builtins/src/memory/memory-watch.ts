/**
 * Looks at a sandbox's memory now and then.
 *
 * Pages are used without a call: a reservation that becomes writable, a stack, a file's private pages, a segment of
 * the program itself. The next look comes before what is left could be used up; where looking takes long, it is for a
 * tenth of the time, or four times a second. Over the limit, the process that grew most since the last look is ended,
 * then the next one.
 */
import { pidfdOpen, pidfdSendSignal, close, signals, SyscallError } from '@sandlock/sys';

import type { ProcessTree } from '../process-tree.js';
import type { MemoryAccount } from './memory-account.js';
import type { Measurement } from './memory-meter.js';

/** A program that touches pages as fast as it can uses about this much in a millisecond. */
const BYTES_PER_MS = 2 * 1024 * 1024;
const MIN_MS = 5;
const MAX_MS = 100;
/** Costly looks come at least this often. */
const RAREST_MS = 250;
const MAX_SHARE_OF_TIME = 0.1;

export interface MemoryWatchOptions {
  readonly members: ProcessTree;
  readonly account: MemoryAccount;
  readonly limitBytes: number;
  /** This process is about to be ended. */
  readonly onKill: (pid: number) => void;
}

/** Looks in a row that failed, at 5 to 100 ms each. */
const MAX_FAILURES = 20;

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #lastShares: ReadonlyMap<number, number> = new Map();
  #stopped = false;
  #looking = false;
  #failures = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /** Begins, or looks again sooner; where a look is under way it is the next that counts what is asked for meanwhile. */
  within(delayMs: number): void {
    if (this.#stopped || this.#looking) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#lookOrEnd(), delayMs).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** How soon what is left could be used up. */
  pace(usedBytes: number): number {
    return Math.min(MAX_MS, Math.max(MIN_MS, (this.#options.limitBytes - usedBytes) / BYTES_PER_MS));
  }

  /** What cannot be measured for long is not let go on. */
  async #lookOrEnd(): Promise<void> {
    this.#looking = true;
    let next = MIN_MS;
    try {
      next = await this.#look();
      this.#failures = 0;
    } catch {
      if (++this.#failures >= MAX_FAILURES) this.#endAll();
    } finally {
      // Also when it could not look (out of descriptors, for one): then soon again.
      this.#looking = false;
      this.within(next);
    }
  }

  /** @returns when to look again */
  async #look(): Promise<number> {
    const { account, limitBytes } = this.#options;
    const before = process.cpuUsage();
    const pending = account.measure();
    const ownMs = busyMs(before); // as far as it goes at once
    const measured = await pending;
    if (this.#stopped) return MIN_MS;
    this.#endSome(measured, limitBytes);
    this.#lastShares = measured.shares;
    const next = measured.usedBytes > limitBytes ? MIN_MS : this.pace(account.bound);
    return Math.max(next, Math.min(RAREST_MS, (ownMs + measured.busyMs) / MAX_SHARE_OF_TIME));
  }

  #endSome({ usedBytes, shares }: Measurement, limitBytes: number): void {
    if (usedBytes <= limitBytes) return;
    const growth = (pid: number): number => shares.get(pid)! - (this.#lastShares.get(pid) ?? 0);
    const victims = [...shares.keys()].sort((a, b) => growth(b) - growth(a) || shares.get(b)! - shares.get(a)!);
    let left = usedBytes;
    for (const pid of victims) {
      if (left <= limitBytes) break;
      if (this.#end(pid)) left -= shares.get(pid)!;
    }
  }

  /** From a timer, above which nobody catches anything. */
  #endAll(): void {
    try {
      for (const pid of this.#lastShares.keys()) this.#end(pid);
    } catch {
      // Out of descriptors still: with the next look.
    }
  }

  #end(pid: number): boolean {
    let pidfd = -1;
    try {
      pidfd = pidfdOpen(pid);
      // Only now it is certain whose descriptor this is.
      if (!this.#options.members.has(pid)) return true;
      this.#options.onKill(pid);
      pidfdSendSignal(pidfd, signals.SIGKILL);
      return true;
    } catch (error) {
      if (error instanceof SyscallError) return error.code === 'ESRCH';
      throw error;
    } finally {
      if (pidfd >= 0) close(pidfd);
    }
  }
}

/** Not the time that passed: on a machine that is busy with other things, looks would become rare when they matter. */
function busyMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
