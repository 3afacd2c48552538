/**
 * Relative paths made absolute.
 *
 * By joining, not by resolving: what `..` leads to is for the kernel, which knows the links. Done when options
 * are read, so that a policy means the same files wherever its program is started.
 */
import { readlinkSync } from 'node:fs';

const SLASH = 0x2f;

/** @param base the directory relative paths start from */
export function absolutePath(path: Uint8Array, base: () => Uint8Array): Uint8Array {
  if (path[0] === SLASH) return path;
  const directory = base();
  const separator = directory.at(-1) === SLASH ? [] : [SLASH];
  return Uint8Array.from([...directory, ...separator, ...path]);
}

/** The working directory of this process, as bytes. */
export function workingDirectory(): Uint8Array {
  const text = process.cwd();
  // Node decodes as UTF-8 and puts U+FFFD where it cannot; the kernel tells the bytes.
  return Uint8Array.from(text.includes('\ufffd') ? readlinkSync('/proc/self/cwd', 'buffer') : Buffer.from(text));
}
