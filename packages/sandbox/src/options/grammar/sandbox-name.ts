/**
 * Names of sandboxes.
 *
 * A name becomes part of a path, the host name the program sees, and a cell of tables on a terminal: so no
 * slash, not `.` or `..`, no control character, and no more than 64 bytes, which is what uname(2) holds.
 */
import { GrammarError, show } from './grammar-error.js';
import { isWellFormed } from './well-formed.js';

/** __NEW_UTS_LEN of include/uapi/linux/utsname.h. */
const MAX_BYTES = 64;

/** @throws {GrammarError} */
export function parseSandboxName(value: unknown): string {
  if (typeof value !== 'string') throw new GrammarError(`A name is text, not ${show(value)}.`);
  if (value === '') throw new GrammarError('The name is empty.', 'Leave it out to have one made.');
  if (value === '.' || value === '..') throw new GrammarError(`The name ${show(value)} is a directory.`);
  if (value.includes('/')) throw new GrammarError(`The name ${show(value)} contains a slash.`);
  // Cc: C0, DEL, C1. Zl, Zp: line and paragraph separator. Bidi controls reorder what a table shows.
  if (/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(value)) {
    throw new GrammarError(`The name ${JSON.stringify(value)} contains a control character.`);
  }
  if (!isWellFormed(value)) throw new GrammarError(`The name ${show(value)} contains half a surrogate pair.`);
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_BYTES) throw new GrammarError(`The name is ${bytes} bytes long; at most ${MAX_BYTES} are possible.`);
  return value;
}
