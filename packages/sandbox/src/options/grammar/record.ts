/**
 * Records: plain objects of names and values.
 *
 * Nothing else that is an object can stand for one: what a Map holds is no property of it, and what an object inherits is none of
 * its own, so either would be taken for empty.
 */
import { GrammarError, show } from './grammar-error.js';

export type PlainRecord = Readonly<Record<string, unknown>>;

/** @throws {GrammarError} */
export function parseRecord(value: unknown): PlainRecord {
  if (isRecord(value)) return value;
  const hint = isIterable(value) ? 'Object.fromEntries() makes one of names and values.' : 'Give a copy of what it holds: { ...object }.';
  throw new GrammarError(`It is a plain object of names and values, not ${kindOf(value)}.`, isInstance(value) ? hint : undefined);
}

function isRecord(value: unknown): value is PlainRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (value === process.env) return true; // whose prototype is its own
  const prototype = prototypeOf(value);
  return prototype === null || (prototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')); // Object.prototype, of any realm
}

function isInstance(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIterable(value: unknown): boolean {
  return isInstance(value) && Symbol.iterator in value;
}

function kindOf(value: unknown): string {
  const name: unknown = isInstance(value) ? (prototypeOf(value)?.constructor as { name?: unknown } | undefined)?.name : undefined;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${name}` : show(value);
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
