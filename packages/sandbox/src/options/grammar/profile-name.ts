/**
 * Names of profiles.
 *
 * A name becomes that of a file, NAME.toml in the folder of profiles, and nothing else: no slash, so that it stays in there; no
 * dot, so that it is neither `..` nor hidden nor two names for one file; and no control character, since names are printed.
 */
import { GrammarError, show } from './grammar-error.js';
import { parseSandboxName } from './sandbox-name.js';

/** @throws {GrammarError} */
export function parseProfileName(value: unknown): string {
  if (typeof value !== 'string') throw new GrammarError(`The name of a profile is text, not ${show(value)}.`);
  if (value === '') throw new GrammarError('The name of the profile is empty.');
  if (value.includes('/')) throw new GrammarError(`The name ${show(value)} contains a slash.`, 'A profile is named without its folder.');
  if (value.includes('.')) throw new GrammarError(`The name ${show(value)} contains a dot.`, 'A profile is named without ".toml".');
  return parseSandboxName(value);
}
