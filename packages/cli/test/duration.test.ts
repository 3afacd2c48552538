import { describe, expect, it } from 'vitest';

import { parseDuration } from '../src/run/duration.js';

describe('durations', () => {
  it.each([
    ['5', 5000, '5s'], ['1.5s', 1500, '1.5s'], ['.5', 500, '.5s'], ['500ms', 500, '500ms'], ['2m', 120_000, '2m'], ['1h', 3_600_000, '1h'],
  ])('%s is %i ms, shown as %s', (text, ms, shown) => {
    expect(parseDuration(text)).toEqual({ ms, text: shown });
  });

  it('are at least a millisecond, so that zero never means forever', () => {
    expect(parseDuration('0').ms).toBe(1);
    expect(parseDuration('0.2ms').ms).toBe(1);
  });

  it.each(['', '5 s', '-1', '+5', '1e3', '5d', 's', 'Infinity', '0x10', '1,5', '.'])('refuse %j', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });

  it('refuse what a timer cannot hold, and take the longest that it can', () => {
    expect(parseDuration('2147483647ms').ms).toBe(2 ** 31 - 1);
    expect(() => parseDuration('2147483648ms')).toThrow(/too long/);
    expect(() => parseDuration('600h')).toThrow(RangeError);
  });
});
