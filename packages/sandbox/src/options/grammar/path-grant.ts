/**
 * Grants: a path, and whether it may be missing.
 *
 * A missing path stops the run, since a grant that is silently skipped makes a program fail in a way that
 * nobody connects with it. `optional` is for what some machines have and others do not, such as /lib64.
 */
import { parseFsPath, writeFsPath, type FsPath } from './fs-path.js';
import { GrammarError, show } from './grammar-error.js';
import type { TomlValue } from './toml-value.js';

export type PathGrant = FsPath | { readonly path: FsPath; readonly optional?: boolean | undefined };

/** A grant as it was given; the path may still be relative. */
export interface ParsedGrant {
  readonly path: Uint8Array;
  readonly optional: boolean;
}

export function parsePathGrant(value: unknown): ParsedGrant {
  if (!isGrantObject(value)) return { path: parseFsPath(value), optional: false };
  for (const key of Object.keys(value)) {
    if (key !== 'path' && key !== 'optional') {
      throw new GrammarError(`A grant has no property ${show(key)}.`, 'It is a path, or { path, optional }.');
    }
  }
  const { path, optional } = value;
  if (optional !== undefined && typeof optional !== 'boolean') {
    throw new GrammarError(`optional is true or false, not ${show(optional)}.`);
  }
  return { path: parseFsPath(path), optional: optional === true };
}

/** As parsePathGrant() takes it. @throws {GrammarError} the path is not UTF-8 */
export function writePathGrant({ path, optional }: ParsedGrant): TomlValue {
  const text = writeFsPath(path);
  return optional ? { path: text, optional } : text;
}

function isGrantObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    && !(value instanceof Uint8Array) && !(value instanceof URL);
}
