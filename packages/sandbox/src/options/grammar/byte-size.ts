/**
 * Sizes: `512M`, `1g`, `4096`, as bytes in 64 bits.
 *
 * A whole decimal number and at most one letter, K, M, G or T in either case, for powers of 1024. Anything more
 * liberal invites `1.5G` or `10MB`, which people read in two ways; and a size that overflows must never come
 * out small.
 */
import { GrammarError, show } from './grammar-error.js';

const UNITS = ['', 'K', 'M', 'G', 'T'] as const;
const MAX = (1n << 64n) - 1n;

/** @throws {GrammarError} */
export function parseByteSize(value: unknown): bigint {
  if (typeof value === 'bigint') return checkRange(value, show(value));
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return checkRange(BigInt(value), show(value));
    throw new GrammarError(`${show(value)} is no whole number of bytes that a double holds exactly.`, 'Write a bigint.');
  }
  if (typeof value !== 'string') throw new GrammarError(`A size is a number or text, not ${show(value)}.`);
  const text = value.trim();
  if (text === '') throw new GrammarError('The size is empty.');
  const match = /^(\d+)([A-Za-z]*)$/.exec(text);
  if (match === null) throw new GrammarError(`${show(value)} is no size.`, 'Write a whole number and K, M, G or T, as in 512M.');
  const unit = UNITS.indexOf(match[2]!.toUpperCase() as typeof UNITS[number]);
  if (unit < 0) throw new GrammarError(`${show(value)} has the unknown unit ${show(match[2])}.`, 'Units are K, M, G and T.');
  return checkRange(BigInt(match[1]!) << BigInt(10 * unit), show(value));
}

/** With the largest unit that divides it: 1536M, 2G, 0. */
export function showByteSize(bytes: bigint): string {
  let unit = 0;
  while (unit < UNITS.length - 1 && bytes !== 0n && bytes % 1024n === 0n) {
    bytes /= 1024n;
    unit++;
  }
  return `${bytes}${UNITS[unit]}`;
}

function checkRange(bytes: bigint, shown: string): bigint {
  if (bytes >= 0n && bytes <= MAX) return bytes;
  throw new GrammarError(`${shown} is ${bytes < 0n ? 'negative' : 'more than 64 bits hold'}.`);
}
