/**
 * Paths, as bytes.
 *
 * To the kernel a path is bytes without NUL, and there are file names that no JavaScript string stands for.
 * So a path may be given as a string, as bytes or as a file: URL, and is bytes from here on. Nothing is
 * normalised: what `a/../b` names depends on whether `a` is a link, and only the kernel knows that.
 */
import { fileURLToPath } from 'node:url';

import { GrammarError, show } from './grammar-error.js';
import { isWellFormed } from './well-formed.js';

/** A path of the file system. A string is written in UTF-8. */
export type FsPath = string | Uint8Array | URL;

/** PATH_MAX of include/uapi/linux/limits.h, which counts the NUL at the end. */
const PATH_MAX = 4096;

/** The bytes of a path, as given. */
export function parseFsPath(value: unknown): Uint8Array {
  const bytes = toBytes(value);
  if (bytes.length === 0) throw new GrammarError('The path is empty.');
  if (bytes.includes(0)) throw new GrammarError(`The path ${show(value)} contains a NUL byte; no file has such a name.`);
  if (bytes.length >= PATH_MAX) {
    throw new GrammarError(`The path is ${bytes.length} bytes long; the kernel takes at most ${PATH_MAX - 1}.`);
  }
  return bytes;
}

function toBytes(value: unknown): Uint8Array {
  if (typeof value === 'string') return utf8(value);
  if (value instanceof Uint8Array) return Uint8Array.from(value); // a copy: the caller may write to theirs
  if (value instanceof URL) {
    if (value.protocol !== 'file:') throw new GrammarError(`The URL ${show(value.href)} is no file: URL.`);
    try {
      return utf8(fileURLToPath(value));
    } catch (error) {
      throw new GrammarError(`The URL ${show(value.href)} is no path: ${(error as Error).message}.`);
    }
  }
  throw new GrammarError(`A path is a string, a Buffer or a file: URL, not ${show(value)}.`);
}

function utf8(text: string): Uint8Array {
  // Encoding would put U+FFFD in its place, which is another file.
  if (!isWellFormed(text)) {
    throw new GrammarError(`The path ${show(text)} contains half a surrogate pair.`, 'Give its bytes as a Buffer.');
  }
  return Uint8Array.from(Buffer.from(text, 'utf8'));
}

/** A path as text, for profiles. @throws {GrammarError} no text stands for it */
export function writeFsPath(path: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(path);
  } catch {
    throw new GrammarError(`The path ${JSON.stringify(showPath(path))} is not UTF-8, and text is all that a profile holds.`,
      'Name a folder above it instead.');
  }
}

/** A path for people: UTF-8 where it is that, other bytes and control characters as \xNN. */
export function showPath(path: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true });
  try {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(path);
    return strict.replace(/\p{Cc}/gu, (control) => `\\x${control.codePointAt(0)!.toString(16).padStart(2, '0')}`);
  } catch {
    return Array.from(path, (byte) => byte >= 0x20 && byte < 0x7f ? text.decode(Uint8Array.of(byte))
      : `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  }
}
