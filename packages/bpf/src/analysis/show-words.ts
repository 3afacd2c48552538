/**
 * What is known of the words of a call, as data and as text.
 */
import { type Words } from './explore.js';
import { complement, MAX_WORD, type Ranges, type WordSet } from './word-set.js';

export interface WordCondition {
  /** Argument 0 to 5, or the instruction pointer. */
  readonly word: `args[${number}]` | 'instructionPointer';
  readonly half: 'low' | 'high';
  /** The bits that count. */
  readonly mask: number;
  /** What they may be: [from, to, from, to, ...], ends included. */
  readonly ranges: Ranges;
}

/** All that is known besides nr and arch. */
export function wordConditions(words: Words): WordCondition[] {
  return words.flatMap((set, i) => i < 2 ? [] : conditionsOf(set).map(({ mask, ranges }): WordCondition => ({
    word: i < 4 ? 'instructionPointer' : `args[${(i - 4) >> 1}]`, half: i % 2 === 0 ? 'low' : 'high', mask, ranges,
  })));
}

function conditionsOf({ ranges, masked }: WordSet): { mask: number; ranges: Ranges }[] {
  const all = ranges.length === 2 && ranges[0] === 0 && ranges[1] === MAX_WORD;
  return [...all ? [] : [{ mask: MAX_WORD, ranges }], ...masked];
}

/** `args[0].low == 8 && (args[1].low & 0xff) == 3`; `always` when nothing is asked. */
export function showConditions(conditions: readonly WordCondition[]): string {
  if (conditions.length === 0) return 'always';
  return conditions.map(({ word, half, mask, ranges }) => {
    const whole = `${word}.${half}`;
    return comparison(mask === MAX_WORD ? whole : `(${whole} & ${hex(mask)})`, ranges, mask);
  }).join(' && ');
}

function comparison(name: string, ranges: Ranges, max: number): string {
  const outside = complement(ranges, max);
  // The shorter side says it better: != 5 rather than two ranges.
  if (outside.length < ranges.length || (outside.length === 2 && outside[0] === outside[1])) {
    return pairs(outside).map(([from, to]) => from === to ? `${name} != ${hex(from)}`
      : from === 0 ? `${name} > ${hex(to)}` : to === max ? `${name} < ${hex(from)}`
        : `!(${hex(from)} <= ${name} <= ${hex(to)})`).join(' && ');
  }
  const parts = pairs(ranges).map(([from, to]) => from === to ? `${name} == ${hex(from)}`
    : from === 0 ? `${name} <= ${hex(to)}` : to === max ? `${name} >= ${hex(from)}` : `${hex(from)} <= ${name} <= ${hex(to)}`);
  return parts.length === 1 ? parts[0]! : `(${parts.join(' || ')})`;
}

function pairs(ranges: Ranges): [number, number][] {
  return Array.from({ length: ranges.length / 2 }, (_, i) => [ranges[2 * i]!, ranges[2 * i + 1]!]);
}

function hex(value: number): string {
  return value < 10 ? String(value) : `0x${value.toString(16)}`;
}
