import { describe, expect, it } from 'vitest';

import { close, CLOCK_MONOTONIC, CLOCK_REALTIME, clockGettime, ITIMERSPEC_BYTES, pipe, timerfdSettime } from '../src/index.js';

describe('clocks', () => {
  it('show nanoseconds', () => {
    const before = BigInt(Date.now());
    const now = clockGettime(CLOCK_REALTIME);
    const after = BigInt(Date.now()) + 1n;
    expect(now / 1_000_000n).toBeGreaterThanOrEqual(before);
    expect(now / 1_000_000n).toBeLessThanOrEqual(after);
    const some = Array.from({ length: 20 }, () => clockGettime(CLOCK_MONOTONIC));
    expect(some.every((each, i) => i === 0 || each >= some[i - 1]!)).toBe(true);
    expect(some.some((each) => each % 1000n !== 0n)).toBe(true);
  });

  it('that do not exist are EINVAL', () => {
    expect(() => clockGettime(99)).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: 'clock_gettime' }) as Error);
  });
});

describe('timers', () => {
  it('take a whole structure, and are descriptors of their own kind', () => {
    const spec = Buffer.alloc(ITIMERSPEC_BYTES);
    const [end, other] = pipe();
    expect(timerfdSettime(end, 0, spec, spec)).toBe(-22);
    expect(timerfdSettime(9999, 0, spec, spec)).toBe(-9);
    expect(timerfdSettime(end, 0, spec.subarray(1), spec)).toBe(-22);
    [end, other].forEach(close);
  });
});
