import { afterAll, describe, expect, it } from 'vitest';

import type { Patched } from '../../src/vdso/stub-arch.js';
import { vdsoPatches, type Patch, type VdsoChanges } from '../../src/vdso/vdso-patches.js';
import { answers, assembled, canRun, hasAssembler, image, removeAll, toolchains } from './toolchains.js';

afterAll(removeAll);

function patched(bytes: Buffer, patches: readonly Patch[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const { at, before, after } of patches) {
    expect(copy.subarray(at, at + before.length)).toEqual(before);
    after.copy(copy, at);
  }
  return copy;
}

const SECOND = 1_000_000_000n;

interface Variant { hasTime: boolean; seeded?: boolean; frozenAtNs?: bigint }

/** What an image says whose clocks are this far off, or stand still. */
function expected(offsetNs: bigint, { hasTime, seeded = false, frozenAtNs }: Variant): string[] {
  const show = (ns: bigint, digits: number) => `${ns / SECOND}.${String(ns % SECOND).padStart(9, '0').slice(0, digits)}`;
  const clock = (id: number) => 1000n * SECOND + BigInt(id) * SECOND + 999_999_999n;
  const shifted = (id: number) => (id === 0 || id === 5 || id === 11 ? frozenAtNs ?? clock(id) + offsetNs : clock(id));
  const second = String(shifted(5) / SECOND);
  return [
    ...[0, 1, 5, 7, 8, 11].map((id) => `clock ${id}: 0 ${show(shifted(id), 9)}`),
    'clock 99: -22 -1.-00000001',
    `day: 0 ${show(frozenAtNs ?? 1000n * SECOND + 999_999_000n + offsetNs, 6)} 7`,
    'zone: 0 7',
    'bad: -14',
    hasTime ? `time: ${second} ${second} ${second}` : 'time: 77 77 77',
    `random: ${seeded ? -38 : 16}`,
  ];
}

describe.each(toolchains)('stubs for $arch', (chain) => {
  it.skipIf(!hasAssembler(chain))(`are what their text assembles to [needs ${chain.tools}as]`, () => {
    const { stubs, frozen } = chain.stubArch;
    for (const [name, code] of [...Object.entries(stubs), ...Object.entries(frozen)]) {
      const bytes = assembled(chain, code.text);
      expect(bytes.subarray(0, code.bytes.length).toString('hex'), name).toBe(code.bytes.toString('hex'));
      expect(bytes.length - code.bytes.length, name).toBeLessThan(16);
    }
  });

  describe.skipIf(!canRun(chain)).each(chain.variants.map((variant) => ({ variant })))(`run [needs ${chain.tools}gcc ${chain.run.join('')}] $variant`, ({ variant }) => {
    const hasTime = chain.stubArch.names.time.length > 0;

    it.each([
      ['whole seconds ahead', 1_000_000_000n * SECOND], ['a microsecond', 1000n], ['most of a second', 999_999_000n],
      ['back', -1_000n], ['back by a part', -10n * SECOND - 500_000_000n], ['before 1970', -900n * SECOND], ['nothing', 0n],
    ])('and shift the clocks of a calendar by %s, and no others', (_, offsetNs) => {
      const original = image(chain, variant);
      const result = answers(chain, patched(original, vdsoPatches(original, chain.arch, { offsetNs })));
      expect(result).toEqual(expected(offsetNs, { hasTime }));
    });

    it.each([
      ['a moment', 981_158_400n * SECOND + 123_456_789n], ['the last nanosecond of one', 5n * SECOND - 1n], ['1970', 0n],
    ])('and show %s by the clocks of a calendar, and by no others', (_, frozenAtNs) => {
      const original = image(chain, variant);
      const patches = vdsoPatches(original, chain.arch, { offsetNs: 7n * SECOND, frozenAtNs, noRandom: true });
      expect(answers(chain, patched(original, patches))).toEqual(expected(0n, { hasTime, seeded: true, frozenAtNs }));
    });

    it('and leave the time alone where random numbers are all that is wanted', () => {
      const original = image(chain, variant);
      const changes: VdsoChanges = { noRandom: true };
      expect(answers(chain, patched(original, vdsoPatches(original, chain.arch, changes)))).toEqual([
        ...expected(0n, { hasTime: false }).slice(0, -1), 'random: -38',
      ]);
    });

    if (chain.unmovable !== undefined) it('and ask the kernel where a function cannot be called any more', () => {
      const original = image(chain, variant, chain.unmovable);
      const offsetNs = 1_000_000_000n * SECOND;
      const result = answers(chain, patched(original, vdsoPatches(original, chain.arch, { offsetNs })));
      const shown = (line: number) => Number(/ ([0-9]+)\.[0-9]+/.exec(result[line]!)?.[1]);
      const now = Date.now() / 1000;
      for (const line of [0, 2, 7]) {
        expect(Math.abs(shown(line) - (now + 1_000_000_000)), result[line]).toBeLessThan(60);
      }
      expect(shown(1), 'CLOCK_MONOTONIC').toBeLessThan(now);
      expect(result.slice(8, 9)).toEqual(['zone: 0 0']);
    });

    it('both at once', () => {
      const original = image(chain, variant);
      const patches = vdsoPatches(original, chain.arch, { offsetNs: 5n * SECOND, noRandom: true });
      expect(answers(chain, patched(original, patches))).toEqual(expected(5n * SECOND, { hasTime, seeded: true }));
    });
  });

  it('have an entry for each thing that is patched', () => {
    const all: readonly Patched[] = ['clock_gettime', 'gettimeofday', 'time', 'getrandom'];
    expect(Object.keys(chain.stubArch.stubs)).toEqual(all);
    for (const what of all) expect(chain.stubArch.names[what].length === 0, what).toBe(chain.stubArch.stubs[what].bytes.length === 0);
  });
});
