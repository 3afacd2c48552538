import { describe, expect, it } from 'vitest';

import { firstCpus } from '../../src/cpu/cpu-mask.js';
import { maskFromList } from '../../src/cpu/cpu-text.js';
import { cpusSeen, nodeMemInfo } from '../../src/proc/nodes.js';

const MIB = 2 ** 20;

describe('processors of nodes', () => {
  const sets = ['0-3,8-11', '4-7,12-15'].map(maskFromList);
  const seen = (numCpus: number) => sets.map((_, index) => cpusSeen(firstCpus(numCpus), sets, index));

  it('are those of the machine that are seen, each in its node', () => {
    expect(seen(1)).toEqual([1n, 0n]);
    expect(seen(6)).toEqual(['0-3', '4-5'].map(maskFromList));
    expect(seen(16)).toEqual(sets);
  });

  it('are in the first where the machine has none of that number', () => {
    expect(seen(18)).toEqual(['0-3,8-11,16-17', '4-7,12-15'].map(maskFromList));
  });
});

describe('memory of nodes', () => {
  const machine = 'Node 1 MemTotal:        4810528 kB\nNode 1 MemFree:         4077856 kB\nNode 1 MemUsed:          732672 kB\n'
    + 'Node 1 Active(anon):       1528 kB\nNode 1 Slab:             169636 kB\nNode 1 HugePages_Total:     5\n';

  it('is that of the sandbox, in the machine\'s own fields', () => {
    expect(nodeMemInfo(machine, { limitBytes: 256 * MIB, usedBytes: () => 56 * MIB })).toBe(
      'Node 1 MemTotal:         262144 kB\nNode 1 MemFree:          204800 kB\nNode 1 MemUsed:           57344 kB\n'
      + 'Node 1 Active(anon):      57344 kB\nNode 1 Slab:                  0 kB\nNode 1 HugePages_Total:     0\n');
  });
});
