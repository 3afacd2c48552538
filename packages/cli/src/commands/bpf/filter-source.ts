/**
 * A filter from a file: bytes, a profile or rules, told apart by what is in it.
 *
 * JSON begins with a brace. No instruction does: 0x7b is no opcode of seccomp, and what a program may begin with that
 * JSON takes for space is followed by a zero.
 */
import { compileFilter, type FilterDescription, FilterError, parseProgram, type Program, readProfile } from '@sandlock/bpf';

import { type SourceOptions } from './arguments.js';
import { inputName, readInput } from './read-input.js';
import { parseRulesJson } from './rules-json.js';

export interface FilterSource {
  /** How messages call it. */
  readonly name: string;
  readonly program: Program;
  /** Undefined for a program in bytes. */
  readonly description: FilterDescription | undefined;
  /** SECCOMP_FILTER_FLAG_* that a profile asks for. */
  readonly flags: readonly string[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** @throws {Error} that names the file and the place in it */
export function readFilter(file: string, options: SourceOptions): FilterSource {
  const bytes = readInput(file);
  return named(file, () => filterFrom(inputName(file), bytes, options));
}

/** Runs what may find fault with a filter, and says in which file it stands. */
export function named<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new Error(`${inputName(file)}: ${error.message}`, { cause: error });
  }
}

function filterFrom(name: string, bytes: Uint8Array, options: SourceOptions): FilterSource {
  const text = jsonText(bytes);
  if (text === undefined) {
    return { name, program: parseProgram(bytes), description: undefined, flags: [], skipped: [] };
  }
  const rules = parseRulesJson(text, options.arch);
  const { description, flags, skipped } = rules === undefined ? readProfile(text, options) : { description: rules, flags: [], skipped: [] };
  return { name, program: compileFilter(description, { layout: options.layout }), description, flags, skipped };
}

function jsonText(bytes: Uint8Array): string | undefined {
  const start = [0xef, 0xbb, 0xbf].every((byte, i) => bytes[i] === byte) ? 3 : 0;
  const first = bytes.subarray(start).find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  if (first !== 0x7b) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FilterError('ERR_SANDLOCK_FILTER_PROFILE', 'JSON has to be UTF-8, and this is not.', { cause: error });
  }
}
