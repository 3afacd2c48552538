/**
 * Limits of a supervisor, with their defaults.
 */
export interface SupervisorLimits {
  /** Deferred answers being worked out at a time. Default 64. */
  readonly maxDeferred: number;
  /** What a deferral beyond that gets: EAGAIN at once, or a place in a queue. Default 'eagain'. */
  readonly whenFull: 'eagain' | 'queue';
  /** Places in that queue; beyond them EAGAIN. Default 1024. */
  readonly maxQueued: number;
  /** Time for a deferred answer, the queue not counted; then EIO. Default 30 s. */
  readonly deferLimitMs: number;
  /** Time for a held call whose action names none; then EPERM. Default 60 s. */
  readonly holdLimitMs: number;
  /**
   * Time for a handler that answers inline. It cannot be interrupted, so this is looked at when it returns:
   * one that took longer, and kept the processor busy, gets its exception policy instead of its answer; one that
   * took longer idly is reported, since a stopped process looks the same. Default 1 s; Infinity for none.
   */
  readonly inlineLimitMs: number;
  /** Every how long it is looked whether deferred and held calls still wait. Default 250 ms. */
  readonly sweepMs: number;
  /** Reports waiting to be delivered; beyond them they are counted and dropped. Default 1024. */
  readonly maxReports: number;
}

const DEFAULTS: SupervisorLimits = Object.freeze({
  maxDeferred: 64,
  whenFull: 'eagain',
  maxQueued: 1024,
  deferLimitMs: 30_000,
  holdLimitMs: 60_000,
  inlineLimitMs: 1_000,
  sweepMs: 250,
  maxReports: 1024,
});

/** setTimeout fires at once beyond this. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** @throws {RangeError} a limit is no positive number */
export function checkedLimits(given: Partial<SupervisorLimits> = {}): SupervisorLimits {
  const limits: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name)) throw new RangeError(`There is no limit named ${name}.`);
    if (value === undefined) continue;
    const fits = name === 'whenFull' ? value === 'eagain' || value === 'queue' : typeof value === 'number' && value > 0;
    if (!fits) throw new RangeError(`Limit ${name} cannot be ${String(value)}.`);
    limits[name] = value;
  }
  return Object.freeze(limits) as unknown as SupervisorLimits;
}

/** A timer that does not keep the process alive; none for Infinity. */
export function after(delayMs: number, callback: () => void): NodeJS.Timeout | undefined {
  if (delayMs === Infinity) return undefined;
  return setTimeout(callback, Math.min(delayMs, LONGEST_TIMER_MS)).unref();
}
