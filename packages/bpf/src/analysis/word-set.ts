/**
 * Sets of 32-bit words: what a path through a filter knows about one word of seccomp_data.
 *
 * A comparison leaves ranges. A test under a mask says something about some bits only, so it is kept beside
 * the ranges, and whether everything together leaves a value is searched bit by bit. The answer is exact:
 * a set is empty if and only if no word is in it.
 */
import { FilterError } from '../filter-error.js';

/** Ranges with both ends included, ascending, apart from each other: [from, to, from, to, ...]. */
export type Ranges = readonly number[];

export interface WordSet {
  readonly ranges: Ranges;
  /** What the word is under other masks. */
  readonly masked: readonly { readonly mask: number; readonly ranges: Ranges }[];
}

export const MAX_WORD = 0xffffffff;
export const anyWord: WordSet = { ranges: [0, MAX_WORD], masked: [] };

/** The words of the set for which `word & mask` lies in one of the ranges; undefined if none is left. */
export function restrict(set: WordSet, mask: number, ranges: Ranges): WordSet | undefined {
  if (mask === MAX_WORD) return checked({ ranges: intersect(set.ranges, ranges), masked: set.masked });
  const before = set.masked.find((one) => one.mask === mask);
  const inside = intersect(before?.ranges ?? [0, mask], ranges);
  if (inside.length === 0) return undefined;
  return checked({ ranges: set.ranges, masked: [...set.masked.filter((one) => one !== before), { mask, ranges: inside }] });
}

export function contains(set: WordSet, word: number): boolean {
  return inRanges(set.ranges, word) && set.masked.every(({ mask, ranges }) => inRanges(ranges, (word & mask) >>> 0));
}

/** Some word of the set; undefined if it has none. */
export function member(set: WordSet): number | undefined {
  if (set.masked.length === 0) return set.ranges[0];
  let budget = 200_000;
  // From the highest bit down: `low` has the bits decided so far, `rest` all those below.
  const search = (low: number, bits: number): number | undefined => {
    if (--budget < 0) {
      throw new FilterError('ERR_SANDLOCK_FILTER_ANALYSIS', 'The masks on one argument are too entangled to solve.');
    }
    const rest = bits === 32 ? MAX_WORD : 2 ** bits - 1;
    const high = (low | rest) >>> 0;
    if (!touches(set.ranges, low, high)) return undefined;
    for (const { mask, ranges } of set.masked) {
      if (!touches(ranges, (low & mask) >>> 0, (high & mask) >>> 0)) return undefined;
    }
    if (bits === 0) return low;
    return search(low, bits - 1) ?? search((low | 2 ** (bits - 1)) >>> 0, bits - 1);
  };
  return search(0, 32);
}

export function complement(ranges: Ranges, max = MAX_WORD): Ranges {
  const result: number[] = [];
  let next = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > next) result.push(next, ranges[i]! - 1);
    next = ranges[i + 1]! + 1;
  }
  if (next <= max) result.push(next, max);
  return result;
}

export function intersect(a: Ranges, b: Ranges): Ranges {
  const result: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const from = Math.max(a[i]!, b[j]!);
    const to = Math.min(a[i + 1]!, b[j + 1]!);
    if (from <= to) result.push(from, to);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return result;
}

/** What lies in any of the lists, neighbours joined. */
export function union(lists: readonly Ranges[]): Ranges {
  return complement(lists.reduce<Ranges>((left, ranges) => intersect(left, complement(ranges)), [0, MAX_WORD]));
}

function checked(set: WordSet): WordSet | undefined {
  return member(set) === undefined ? undefined : set;
}

function inRanges(ranges: Ranges, word: number): boolean {
  return touches(ranges, word, word);
}

/** Does any range have a word from `from` to `to`? */
function touches(ranges: Ranges, from: number, to: number): boolean {
  // The first range that ends at or behind `from`, by halving.
  let [low, high] = [0, ranges.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[2 * middle + 1]! < from) low = middle + 1;
    else high = middle;
  }
  return 2 * low < ranges.length && ranges[2 * low]! <= to;
}
