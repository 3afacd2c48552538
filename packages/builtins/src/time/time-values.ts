/** struct timespec and struct timeval, as nanoseconds. time(2), clock_gettime(2); 64-bit architectures have one layout. */

export const TIME_BYTES = 16;

const SECOND_NS = 1_000_000_000n;
const MICROSECOND_NS = 1000n;

/** @returns undefined for one that the kernel refuses with EINVAL. kernel/time/time.c, timespec64_valid() */
export function timespecNs(bytes: Buffer): bigint | undefined {
  const [seconds, nanoseconds] = [bytes.readBigInt64LE(0), bytes.readBigUInt64LE(8)];
  return seconds < 0n || nanoseconds >= SECOND_NS ? undefined : seconds * SECOND_NS + nanoseconds;
}

export function timespec(ns: bigint): Buffer {
  return pair(floorDivide(ns, SECOND_NS), ns - floorDivide(ns, SECOND_NS) * SECOND_NS);
}

export function timeval(ns: bigint): Buffer {
  const seconds = floorDivide(ns, SECOND_NS);
  return pair(seconds, (ns - seconds * SECOND_NS) / MICROSECOND_NS);
}

/** time_t: whole seconds. */
export function wholeSeconds(ns: bigint): bigint {
  return floorDivide(ns, SECOND_NS);
}

function pair(seconds: bigint, fraction: bigint): Buffer {
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes.writeBigInt64LE(seconds, 0);
  bytes.writeBigInt64LE(fraction, 8);
  return bytes;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}
