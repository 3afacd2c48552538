import { describe, expect, it } from 'vitest';

import { PositionStore } from '../../src/directory/position-store.js';

const directory = { dev: 1n, ino: 2n, kernelPosition: 0n };

describe('position store', () => {
  it('keeps a position for a descriptor number of a process', () => {
    const store = new PositionStore();
    store.set(7, 3, directory, 40n);
    expect(store.get(7, 3, directory)).toBe(40n);
    expect([store.get(7, 4, directory), store.get(8, 3, directory)]).toEqual([0n, 0n]);
  });

  it('goes by the kernel when the number stands for something else, or was moved', () => {
    const store = new PositionStore();
    store.set(7, 3, directory, 40n);
    expect(store.get(7, 3, { ...directory, ino: 9n })).toBe(0n);
    expect(store.get(7, 3, { ...directory, kernelPosition: 5n })).toBe(5n);
    store.forget(7, 3);
    expect(store.get(7, 3, directory)).toBe(0n);
  });

  it('forgets the oldest of very many', () => {
    const store = new PositionStore();
    for (let fd = 0; fd < 2000; fd++) store.set(7, fd, directory, 1n);
    expect([store.get(7, 0, directory), store.get(7, 1999, directory)]).toEqual([0n, 1n]);
  });
});
