/**
 * The clock of a sandbox: the machine's, put forward or back once and for all.
 *
 * It is worked out once a run, so that everything that shows time agrees. The offset is whole microseconds: then
 * gettimeofday(2), which shows no more, is never a step behind or ahead of clock_gettime(2).
 * clock_gettime(2), "CLOCK_REALTIME" and its kin
 */
import { CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_REALTIME_COARSE, CLOCK_TAI, clockGettime } from '@sandlock/sys';

export interface VirtualClock {
  /** What the clocks of a calendar show more than they do. */
  readonly offsetNs: bigint;
  /** The machine's CLOCK_REALTIME, in nanoseconds, when the sandbox's began to run. */
  readonly startedAt: bigint;
}

/** The clocks that tell calendar time. All others count from some event, and are the machine's own. */
export const CALENDAR_CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI];

const MICROSECOND_NS = 1000n;

/** @param startNs what the clock shows at first: nanoseconds since 1970 */
export function startClock(startNs: bigint, startedAt = clockGettime(CLOCK_REALTIME)): VirtualClock {
  const offset = startNs - startedAt;
  return Object.freeze({ offsetNs: offset - modulo(offset, MICROSECOND_NS), startedAt });
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
