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

/**
 * Some word of the set; undefined if it has none.
 *
 * From the highest bit down. What each condition still asks of the bits below is all that the rest of the
 * search depends on, so a question once answered with no is not asked again.
 */
export function member(set: WordSet): number | undefined {
  if (set.masked.length === 0) return set.ranges[0];
  const masks = [MAX_WORD, ...set.masked.map(({ mask }) => mask)];
  const hopeless = new Set<string>();
  const search = (asked: readonly Ranges[], bits: number): number | undefined => {
    if (bits === 0) return 0;
    const key = `${bits}:${asked.join(';')}`;
    if (hopeless.has(key)) return undefined;
    const bit = 2 ** (bits - 1);
    for (const top of [0, bit]) {
      const below = narrowed(asked, masks, bit, top);
      const rest = below === undefined ? undefined : search(below, bits - 1);
      if (rest !== undefined) return top + rest;
    }
    hopeless.add(key);
    if (hopeless.size > MAX_QUESTIONS) {
      throw new FilterError('ERR_SANDLOCK_FILTER_ANALYSIS', 'The masks on one argument are too entangled to solve.');
    }
    return undefined;
  };
  return search([set.ranges, ...set.masked.map(({ ranges }) => ranges)], 32);
}

const MAX_QUESTIONS = 20_000;

/** What is asked of the bits below `bit`, once it is set to `top`; undefined where that cannot be. */
function narrowed(asked: readonly Ranges[], masks: readonly number[], bit: number, top: number): Ranges[] | undefined {
  const below: Ranges[] = [];
  for (const [i, ranges] of asked.entries()) {
    const mask = masks[i]!;
    const counted = (mask & bit) === 0 ? 0 : top;
    const most = (mask & (bit - 1)) >>> 0;
    const left = intersect(ranges, [counted, counted + most]).map((end) => end - counted);
    if (left.length === 0) return undefined;
    below.push(left);
  }
  return below;
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
