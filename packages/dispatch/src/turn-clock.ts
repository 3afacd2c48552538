/**
 * How long a handler has kept the thread.
 *
 * Wall time alone would blame a handler for what the whole process suffered: a stop (Ctrl-Z, SIGSTOP, a debugger) in the
 * middle of its turn looks like an hour of work. A process that is stopped uses no processor, so a turn counts as
 * overrun only when processor time went by with it; one that took long without is merely slow.
 */
export class TurnClock {
  /** Of the last reading. */
  now = 0;
  #cpuMs = 0;

  /** A turn of the thread begins. */
  begin(): void {
    this.#cpuMs = cpuMs();
    this.now = performance.now();
  }

  /** Time since the last reading. */
  lap(): number {
    const before = this.now;
    this.now = performance.now();
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
