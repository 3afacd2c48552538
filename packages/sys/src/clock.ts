/** Clocks, in whole nanoseconds: Date has milliseconds, and process.hrtime() no calendar. clock_gettime(2), timerfd_settime(2) */
import { binding } from './binding.js';
import { check } from './errors.js';

/**
 * Milliseconds on a clock that is never set, from some point in the past. As performance.now() gives them, whose mere name
 * loads all of node:perf_hooks: that is a part of a short run that one sees.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/**
 * What a clock shows.
 *
 * @param clockId  `CLOCK_*`
 * @returns nanoseconds; of CLOCK_REALTIME since 1970
 * @throws {SyscallError} EINVAL no such clock
 */
export function clockGettime(clockId: number): bigint {
  const now = binding().clockGettime(clockId);
  if (typeof now === 'bigint') return now;
  check('clock_gettime', now);
  return 0n;
}

/** sizeof(struct itimerspec) on 64-bit architectures. */
export const ITIMERSPEC_BYTES = 32;

/**
 * Sets a timer that is a descriptor.
 *
 * @param flags     `TIMER_ABSTIME` and its like
 * @param newValue  struct itimerspec
 * @param oldValue  what it was set to before, written here
 * @returns 0 or -errno, and throws nothing: what a target asked for may be anything
 */
export function timerfdSettime(fd: number, flags: number, newValue: Uint8Array, oldValue: Uint8Array): number {
  return binding().timerfdSettime(fd, flags, newValue, oldValue);
}
