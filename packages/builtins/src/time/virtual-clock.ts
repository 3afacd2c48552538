/**
 * The clock of a sandbox: the machine's, put forward or back once and for all, or standing still.
 *
 * It is worked out once a run, so that everything that shows time agrees. The offset is whole microseconds: then
 * gettimeofday(2), which shows no more, is never a step behind or ahead of clock_gettime(2).
 * clock_gettime(2), "CLOCK_REALTIME" and its kin
 */
import { CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_REALTIME_COARSE, CLOCK_TAI, clockGettime } from '@sandlock/sys';

export interface VirtualClock {
  /** What the clocks of a calendar show more than they do; of one that stands still, when the sandbox's began. */
  readonly offsetNs: bigint;
  /** What they were asked to show at first. One that runs is some milliseconds ahead of it. */
  readonly startNs: bigint;
  /** The machine's CLOCK_REALTIME, in nanoseconds, when the sandbox's began to run. */
  readonly startedAt: bigint;
  /** What they show whenever they are asked; undefined: they run. */
  readonly frozenAtNs: bigint | undefined;
}

export interface ClockOptions {
  /** It shows its start for ever. */
  readonly frozen?: boolean;
}

/** The clocks that tell calendar time. All others count from some event, and are the machine's own. */
export const CALENDAR_CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI];

const MICROSECOND_NS = 1000n;

/** @param startNs what the clock shows at first, some milliseconds more at the most: nanoseconds since 1970 */
export function startClock(startNs: bigint, { frozen = false }: ClockOptions = {}): VirtualClock {
  const startedAt = clockGettime(CLOCK_REALTIME);
  // The clock of time(2) is behind by up to a tick, and nobody shall be shown a second before the first one.
  const offset = startNs - clockGettime(CLOCK_REALTIME_COARSE);
  return Object.freeze({
    offsetNs: offset + modulo(-offset, MICROSECOND_NS), startNs, startedAt, frozenAtNs: frozen ? startNs : undefined,
  });
}

/** What a clock of a calendar shows. @throws {SyscallError} EINVAL the machine has no clock of this kind */
export function shownTime({ offsetNs, frozenAtNs }: VirtualClock, id: number): bigint {
  const machines = clockGettime(id); // asked in any case: what the machine has not, the sandbox has not
  return frozenAtNs ?? machines + offsetNs;
}

/**
 * When a deadline is reached, by the machine's clock. By one that stands still it never is, and so it is as far away as
 * that clock says now: a wait until a second from now is a second's wait, and the past is over.
 */
export function machinesDeadline({ offsetNs, frozenAtNs }: VirtualClock, id: number, deadlineNs: bigint): bigint {
  if (frozenAtNs === undefined) return deadlineNs - offsetNs;
  return clockGettime(id === CLOCK_TAI ? CLOCK_TAI : CLOCK_REALTIME) + deadlineNs - frozenAtNs;
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
