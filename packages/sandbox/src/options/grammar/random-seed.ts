/**
 * Seeds: 64 bits, as a number, a bigint or decimal text.
 *
 * A number has to be one that a double holds exactly: two seeds that look different must not be the same.
 */
import { GrammarError, show } from './grammar-error.js';

const MAX = (1n << 64n) - 1n;
/** As long as the longest, however many zeros it begins with. */
const DIGITS = /^0*(\d{1,20})$/;

/** @throws {GrammarError} */
export function parseRandomSeed(value: unknown): bigint {
  const seed = exact(value);
  if (seed >= 0n && seed <= MAX) return seed;
  throw new GrammarError(`The seed ${show(value)} is ${seed < 0n ? 'negative' : 'more than 64 bits hold'}.`, `Seeds are from 0 to ${MAX}.`);
}

/** For profiles: an integer of TOML has a sign, and a bit less for the number. */
export function writeRandomSeed(seed: bigint): bigint | string {
  return seed <= MAX >> 1n ? seed : String(seed);
}

function exact(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value);
    throw new GrammarError(`${show(value)} is no whole number that a double holds exactly.`, 'Write a bigint, or text.');
  }
  const digits = typeof value === 'string' ? DIGITS.exec(value.trim())?.[1] : undefined;
  if (digits === undefined) throw new GrammarError(`${show(value)} is no seed.`, `Write a whole number from 0 to ${MAX}.`);
  return BigInt(digits);
}
