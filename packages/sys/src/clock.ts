/** Clocks, in whole nanoseconds: Date has milliseconds, and process.hrtime() no calendar. clock_gettime(2) */
import { binding } from './binding.js';
import { check } from './errors.js';

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
