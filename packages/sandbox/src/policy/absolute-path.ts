/**
 * Relative paths made absolute.
 *
 * By joining, not by resolving: what `..` leads to is for the kernel, which knows the links. Done when options
 * are read, so that a policy means the same files wherever its program is started.
 */
import { readlinkSync } from 'node:fs';

import { ConfigError } from '../errors.js';
import type { ParsedGrant } from '../options/grammar/path-grant.js';
import type { ParsedOptions } from '../options/option-table.js';

const SLASH = 0x2f;

/** The same options, with every path absolute. @throws {ConfigError} */
export function absoluteOptions(parsed: ParsedOptions, base: () => Uint8Array): ParsedOptions {
  const { fsReadable, fsWritable, cwd } = parsed;
  const grants = (option: string, given: readonly ParsedGrant[]): ParsedGrant[] =>
    given.map((grant, i) => ({ ...grant, path: absolutePath(grant.path, base, `${option}[${i}]`) }));
  return Object.freeze({
    ...parsed,
    ...(fsReadable && { fsReadable: grants('fsReadable', fsReadable) }),
    ...(fsWritable && { fsWritable: grants('fsWritable', fsWritable) }),
    ...(cwd && { cwd: absolutePath(cwd, base, 'cwd') }),
  });
}

/**
 * @param base the directory relative paths start from
 * @param from where the path was given: `fsReadable[1]`
 * @throws {ConfigError} there is no such directory
 */
export function absolutePath(path: Uint8Array, base: () => Uint8Array, from: string): Uint8Array {
  if (path[0] === SLASH) return path;
  const directory = baseOf(base, from);
  const separator = directory.at(-1) === SLASH ? [] : [SLASH];
  return Uint8Array.from([...directory, ...separator, ...path]);
}

function baseOf(base: () => Uint8Array, from: string): Uint8Array {
  try {
    return base();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([{
      path: from, message: `The path is relative, and the working directory of this process cannot be told (${code ?? String(error)}).`,
      hint: 'It was removed, or a directory above it cannot be read. Write an absolute path.',
    }]);
  }
}

/** The working directory of this process, as bytes. @throws ENOENT it was removed */
export function workingDirectory(): Uint8Array {
  const text = process.cwd();
  // Node decodes as UTF-8 and puts U+FFFD where it cannot; the kernel tells the bytes.
  return Uint8Array.from(text.includes('\ufffd') ? readlinkSync('/proc/self/cwd', 'buffer') : Buffer.from(text));
}
