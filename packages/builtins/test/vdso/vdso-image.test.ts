import { describe, expect, it } from 'vitest';

import { ownVdsoImage } from '../../src/vdso/own-image.js';
import { vdsoFunctions } from '../../src/vdso/vdso-image.js';
import { vdsoPatches } from '../../src/vdso/vdso-patches.js';
import { nativeArch } from '@sandlock/bpf';

const arch = nativeArch(process.arch);
const layout = expect.objectContaining({ code: 'ERR_SANDLOCK_VDSO_LAYOUT' }) as Error;
const changed = (change: (image: Buffer) => void): Buffer => {
  const image = Buffer.from(ownVdsoImage());
  change(image);
  return image;
};

describe('the vDSO of this machine', () => {
  it('has the functions that are patched, inside of it', () => {
    const found = vdsoFunctions(ownVdsoImage());
    expect(found.some(({ name }) => /^__(vdso|kernel)_clock_gettime$/.test(name))).toBe(true);
    for (const { entry, size, valueAt } of found) {
      expect(entry + size).toBeLessThanOrEqual(ownVdsoImage().length);
      expect(ownVdsoImage().readBigUInt64LE(valueAt)).toBe(BigInt(entry));
    }
  });

  it('is patched in places that do not overlap, stubs first', () => {
    const patches = vdsoPatches(ownVdsoImage(), arch, { offsetNs: 1n, noRandom: true });
    const [stubs] = patches;
    expect(stubs!.before.every((byte) => byte === 0)).toBe(true);
    expect(stubs!.at).toBe(Math.max(...patches.map(({ at }) => at)));
    const sorted = [...patches].sort((a, b) => a.at - b.at);
    sorted.slice(1).forEach(({ at }, i) => expect(sorted[i]!.at + sorted[i]!.after.length).toBeLessThanOrEqual(at));
    expect(patches.every(({ before, after }) => before.length === after.length && !before.equals(after))).toBe(true);
  });

  it('is not patched for nothing', () => {
    expect(vdsoPatches(ownVdsoImage(), arch, {})).toEqual([]);
  });
});

describe('an image', () => {
  it.each([
    ['that is none', Buffer.alloc(8192)], ['of 32 bits', changed((image) => image.writeUInt8(1, 4))],
    ['that is cut off', Buffer.from(ownVdsoImage().subarray(0, 700))], ['of nothing', Buffer.alloc(0)],
    ['without room', changed((image) => image.fill(0x90, 0x1800))],
    ['that is mapped elsewhere', changed((image) => image.writeUInt8(1, 64 + 18))],
    ['without segments', changed((image) => image.writeUInt16LE(0, 56))],
  ])('%s is refused', (_, image) => {
    expect(() => vdsoPatches(image, arch, { offsetNs: 1n })).toThrow(layout);
  });

  it('of an architecture that nobody here knows is refused', () => {
    expect(() => vdsoPatches(ownVdsoImage(), 'i386', { offsetNs: 1n })).toThrow(layout);
  });

  it('is never read beyond its end, whatever its tables say', () => {
    const random = (seed: number) => () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff);
    for (let n = 0; n < 3000; n++) {
      const next = random(n + 1);
      const image = changed((bytes) => { for (let i = 0; i < 4; i++) bytes.writeUInt8(next() & 0xff, (next() >> 8) % 0x780); });
      try {
        for (const { at, before } of vdsoPatches(image, arch, { offsetNs: 1n })) expect(at + before.length).toBeLessThanOrEqual(image.length);
      } catch (error) {
        expect(error).toEqual(layout);
      }
    }
  });
});
