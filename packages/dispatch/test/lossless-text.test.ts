import { describe, expect, it } from 'vitest';

import { losslessBytes, losslessText } from '../src/index.js';

describe('losslessText', () => {
  it.each<[string, number[], string]>([
    ['ASCII', [0x2f, 0x61], '/a'],
    ['UTF-8 of all lengths', [...Buffer.from('é€😀')], 'é€😀'],
    ['a lone byte', [0x80], '\udc80'],
    ['a cut sequence', [0xe2, 0x82], '\udce2\udc82'],
    ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['an encoded surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
    ['valid text after a bad byte', [0xff, ...Buffer.from('é')], '\udcffé'],
  ])('decodes %s, and back', (_, bytes, text) => {
    expect(losslessText(Uint8Array.from(bytes))).toBe(text);
    expect([...losslessBytes(text)]).toEqual(bytes);
  });

  it('gives every two bytes a text of their own, and the bytes back', { timeout: 60_000 }, () => {
    const seen = new Set<string>();
    for (let high = 0; high < 256; high++) {
      for (let low = 0; low < 256; low++) {
        const text = losslessText(Uint8Array.of(high, low));
        expect([...losslessBytes(text)]).toEqual([high, low]);
        seen.add(text);
      }
    }
    expect(seen.size).toBe(65536);
  });
});
