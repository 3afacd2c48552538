import { describe, expect, it } from 'vitest';

import { asInt32, asUint32 } from '../src/index.js';

describe('registers', () => {
  it('are taken by their low half, with its sign or without', () => {
    expect([0n, 7n, 0xffffff9cn, 0xffff_ffff_ffff_ff9cn, 0xdead_0000_0007n, 0x8000_0000n].map(asInt32)).toEqual([0, 7, -100, -100, 7, -(2 ** 31)]);
    expect([0n, 7n, 0xffffff9cn, 0xffff_ffff_ffff_ff9cn, 0xdead_0000_0007n, 0x8000_0000n].map(asUint32))
      .toEqual([0, 7, 2 ** 32 - 100, 2 ** 32 - 100, 7, 2 ** 31]);
  });
});
