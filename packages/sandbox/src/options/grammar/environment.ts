/**
 * The environment block, as far as the kernel and libc understand it: `NAME=VALUE`, ended by NUL.
 * environ(7); POSIX leaves names with `=` without a meaning.
 */
import { GrammarError, show } from './grammar-error.js';
import { isWellFormed } from './well-formed.js';

/** @throws {GrammarError} an empty name, a `=` in it, a NUL, half a surrogate pair */
export function parseVariableName(value: unknown): string {
  if (typeof value !== 'string') throw new GrammarError(`The name of a variable is text, not ${show(value)}.`);
  if (value === '') throw new GrammarError('The name of a variable is empty.');
  if (value.includes('=')) throw new GrammarError(`The name ${show(value)} contains "=", where its value would begin.`);
  return checkText(value, 'name');
}

/** @throws {GrammarError} */
export function parseVariableValue(value: unknown): string {
  if (typeof value !== 'string') throw new GrammarError(`The value of a variable is text, not ${show(value)}.`);
  return checkText(value, 'value');
}

/** `NAME=VALUE` of a flag. */
export function splitAssignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 0) throw new GrammarError(`${show(text)} has no "=".`, 'Write NAME=VALUE.');
  return [text.slice(0, at), text.slice(at + 1)];
}

function checkText(text: string, what: string): string {
  // The value may be a secret, so it is not shown.
  if (text.includes('\0')) throw new GrammarError(`The ${what} contains a NUL character, which would end it.`);
  if (!isWellFormed(text)) throw new GrammarError(`The ${what} contains half a surrogate pair.`);
  return text;
}
