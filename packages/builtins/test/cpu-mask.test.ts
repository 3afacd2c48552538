import { describe, expect, it } from 'vitest';

import { firstCpus, lowest, lowestCpu, maskFromBytes, maskOf, maskToBytes, wordBytes } from '../src/cpu/cpu-mask.js';

describe('sets of processors', () => {
  it('are bit n for CPU n, little-endian, in the length asked for', () => {
    const mask = maskOf([0, 9, 64]);
    expect([...maskToBytes(mask, 16)]).toEqual([1, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect([...maskToBytes(mask, 1)]).toEqual([1]);
    expect(maskToBytes(mask, 0)).toHaveLength(0);
    for (const length of [16, 24, 1024]) expect(maskFromBytes(maskToBytes(mask, length))).toBe(mask);
    expect(maskFromBytes(Buffer.alloc(0))).toBe(0n);
  });

  it('have first, lowest and a size', () => {
    expect(firstCpus(3)).toBe(7n);
    expect(lowest(maskOf([2, 3, 70]), 2)).toBe(maskOf([2, 3]));
    expect(lowest(maskOf([2]), 5)).toBe(maskOf([2]));
    expect([lowestCpu(1n), lowestCpu(maskOf([65, 70]))]).toEqual([0, 65]);
    expect([wordBytes(1n), wordBytes(firstCpus(64)), wordBytes(firstCpus(65))]).toEqual([8, 8, 16]);
  });
});
