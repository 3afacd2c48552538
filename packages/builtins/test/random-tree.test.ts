import { describe, expect, it } from 'vitest';

import { ProcessRandom } from '../src/random/process-random.js';
import { uuid } from '../src/random/random-ids.js';
import { RandomTree, SEED_MAX } from '../src/random/random-tree.js';

const hex = (tree: RandomTree, length: number) => tree.stream().read(length).toString('hex');

/** Made by another implementation, in Python: SHA-256 of hashlib, ChaCha20 written down from RFC 8439. */
describe('the generator', () => {
  it('gives the bytes that it always gave', () => {
    const tree = RandomTree.fromSeed(42n);
    expect(hex(tree, 32)).toBe('3db58c2539fee30dcd1f29f475882f24f384142672a3085cf7fcbf11852b76cc');
    expect(hex(RandomTree.fromSeed(0n), 16)).toBe('377fd593da8cd513a56c03dbcd8440f8');
    expect(hex(RandomTree.fromSeed(SEED_MAX), 16)).toBe('ea622c5efa58b7ef93286eb260d26710');
    expect(hex(tree.branch('child'), 16)).toBe('009560f53c16c34c9cbc0ad1abbc7c83');
    expect(hex(tree.branch('child', 1).branch('x'), 16)).toBe('78c3c54cbabbf0df13069e9db27e3248');
  });

  it('gives the same bytes however they are asked for', () => {
    const stream = RandomTree.fromSeed(42n).stream();
    for (const length of [1, 63, 64, 100, 0, 28]) expect(stream.read(length)).toHaveLength(length);
    expect(stream.read(8).toString('hex')).toBe('da1c3d602107cda4');
  });

  it('gives every branch, index and seed bytes of its own', () => {
    const tree = RandomTree.fromSeed(1n);
    const all = [tree, tree.branch('a'), tree.branch('a', 1), tree.branch('b'), tree.branch('a').branch('a'), RandomTree.fromSeed(2n)];
    expect(new Set(all.map((each) => hex(each, 16))).size).toBe(all.length);
  });

  it.each([-1n, SEED_MAX + 1n, 1 as unknown as bigint, '1' as unknown as bigint])('takes no seed but 64 bits: %s', (seed) => {
    expect(() => RandomTree.fromSeed(seed)).toThrow(RangeError);
  });
});

describe('what a process draws', () => {
  it('is what it always was', () => {
    const process = new ProcessRandom(RandomTree.fromSeed(42n));
    expect(process.calls.read(8).toString('hex')).toBe('d30dca9c224addde');
    expect(process.images.read(8).toString('hex')).toBe('4b7d6176c1ed3ce6');
    expect(process.openDevice().read(8).toString('hex')).toBe('9b9b067ea272f827');
    expect(process.openDevice().read(8).toString('hex')).toBe('051d6c37f6b30837');
    expect(process.child(0).child(1).calls.read(8).toString('hex')).toBe('7302a88a508d1217');
  });

  it('goes on where it was, for calls, images and UUIDs', () => {
    const process = new ProcessRandom(RandomTree.fromSeed(42n));
    expect(process.calls.read(8)).not.toEqual(process.calls.read(8));
    expect(uuid(process.uuids)).toBe('686dddff-6a94-47de-9dd3-106ad157c675');
    expect(uuid(process.uuids)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
