/**
 * How long a handler has kept the thread.
 *
 * Wall time alone would blame a handler for what the whole process suffered: a stop (Ctrl-Z, SIGSTOP, a debugger) in the
 * middle of its turn looks like an hour of work. A process that is stopped uses no processor, so a turn counts as
 * overrun only when processor time went by with it; one that took long without is merely slow.
 */
import { monotonicMs } from '@sandlock/sys';

/** A reading of the processor time serves turns that begin within this: it costs as much as a handler. */
const CPU_READING_MS = 5;

export class TurnClock {
  /** Of the last reading. */
  now = 0;
  #cpuMs = 0;
  #cpuReadAt = -Infinity;

  /** A turn of the thread begins. */
  begin(): void {
    this.now = monotonicMs();
    if (this.now - this.#cpuReadAt < CPU_READING_MS) return;
    this.#cpuReadAt = this.now;
    this.#cpuMs = cpuMs();
  }

  /** Time since the last reading. */
  lap(): number {
    const before = this.now;
    this.now = monotonicMs();
    return this.now - before;
  }

  /** Whether the process worked for at least half of this time since the turn began. */
  wasBusyFor(timeMs: number): boolean {
    return cpuMs() - this.#cpuMs >= timeMs / 2;
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
