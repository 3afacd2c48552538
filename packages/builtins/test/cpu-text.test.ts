import { describe, expect, it } from 'vitest';

import { firstCpus, maskOf } from '../src/cpu/cpu-mask.js';
import { cpuList, cpuMap, maskFromList } from '../src/cpu/cpu-text.js';

describe('a list of processors', () => {
  it.each([
    [[], ''], [[0], '0'], [[0, 1], '0-1'], [[5], '5'], [[0, 2, 3, 4, 7, 63, 64, 65], '0,2-4,7,63-65'], [[8191], '8191'],
  ])('of %j is "%s", and read as that', (cpus, text) => {
    expect(cpuList(maskOf(cpus))).toBe(text);
    expect(maskFromList(`${text}\n`)).toBe(maskOf(cpus));
  });
});

describe('a map of processors', () => {
  it('has the width of the machine\'s, in groups of 32', () => {
    expect(cpuMap(1n, '3')).toBe('1');
    expect(cpuMap(1n, 'ff')).toBe('01');
    expect(cpuMap(maskOf([0, 32]), '00000000,00000000')).toBe('00000001,00000001');
    expect(cpuMap(3n, 'f,ffffffff,ffffffff')).toBe('0,00000000,00000003');
  });

  it('is wider where there seem to be more', () => {
    expect(cpuMap(firstCpus(40), '3')).toBe('ff,ffffffff');
    expect(cpuMap(maskOf([31]), '3')).toBe('80000000');
    expect(cpuMap(maskOf([32]), '3')).toBe('1,00000000');
  });
});
