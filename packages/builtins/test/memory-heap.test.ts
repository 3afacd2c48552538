import { afterEach, describe, expect, it, vi } from 'vitest';

import { memory, ProcessTree } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

const reads = vi.hoisted(() => [] as ((end: number) => void)[]);
vi.mock('../src/memory/heap.js', async (original) => ({
  ...await original<object>(),
  heapEnd: () => 'long',
  heapEndAside: async () => await new Promise<number>((end) => { reads.push(end); }),
}));

afterEach(closeAll);

describe('a map that is long', () => {
  it('is read in one thread of the pool, however many calls wait for theirs', async () => {
    const target = new Supervised(memory({ limitBytes: 2 ** 26, members: new ProcessTree(() => 0) }));
    const calls = [1, 2, 3].map(async () => await target.call('brk', [0x2000]));
    for (let n = 1; n <= 3; n++) {
      await vi.waitFor(() => { expect(reads.length).toBeGreaterThanOrEqual(n); });
      await new Promise(setImmediate);
      expect(reads.length).toBe(n);
      reads[n - 1]!(0x1000);
      // From here on it is remembered, which changes nothing for those that wait already.
      expect(await calls[n - 1]!).toEqual({ kind: 'continue' });
    }
  });
});
