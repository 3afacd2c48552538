/**
 * JSON with exact integers.
 *
 * Profiles compare arguments with 64-bit values, and a double silently holds another number for many of
 * them: JSON.parse makes 18446744073709551615 into 18446744073709551616. Here an integer that a double does
 * not hold comes out as a bigint, and a key that is written twice is an error, since whoever reads the file
 * may see the other one. RFC 8259.
 */
import { FilterError } from '../filter-error.js';

export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

/** @throws {FilterError} ERR_SANDLOCK_FILTER_PROFILE with line and column */
export function parseJson(text: string): Json {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let depth = 0;

  const fail = (what: string): never => {
    const before = text.slice(0, at).split('\n');
    throw new FilterError('ERR_SANDLOCK_FILTER_PROFILE',
      `Line ${before.length}, column ${before.at(-1)!.length + 1}: ${what}.`);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const space = (): void => void match(/[ \t\n\r]*/y);
  const take = (character: string): boolean => {
    space();
    if (text[at] !== character) return false;
    at++;
    return true;
  };
  const string = (): string => {
    // eslint-disable-next-line no-control-regex -- control characters are what JSON forbids in strings
    const found = match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    return found === undefined ? fail('here belongs a string') : JSON.parse(found) as string;
  };
  const value = (): Json => {
    if (++depth > 200) fail('nested too deeply');
    space();
    const parsed = text[at] === '{' ? object() : text[at] === '[' ? array() : text[at] === '"' ? string() : scalar();
    depth--;
    return parsed;
  };
  const object = (): Json => {
    at++;
    const result: { [key: string]: Json } = {};
    if (take('}')) return result;
    do {
      space();
      const key = string();
      if (Object.hasOwn(result, key)) fail(`${JSON.stringify(key)} stands here for the second time`);
      if (!take(':')) fail('here belongs a colon');
      // defineProperty: "__proto__" is a key like any other.
      Object.defineProperty(result, key, { value: value(), enumerable: true, writable: true, configurable: true });
    } while (take(','));
    return take('}') ? result : fail('here belongs a comma or }');
  };
  const array = (): Json => {
    at++;
    const result: Json[] = [];
    if (take(']')) return result;
    do result.push(value()); while (take(','));
    return take(']') ? result : fail('here belongs a comma or ]');
  };
  const scalar = (): Json => {
    const word = match(/true|false|null/y);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    const found = match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
    if (found === undefined) return fail('here belongs a value');
    const number = Number(found);
    return Number.isSafeInteger(number) || !/^-?[0-9]+$/.test(found) ? number : BigInt(found);
  };

  const result = value();
  space();
  return at === text.length ? result : fail('something follows the end');
}
