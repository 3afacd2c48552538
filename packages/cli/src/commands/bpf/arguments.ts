/**
 * Command lines of `sandlock bpf`.
 *
 * Node's own parser does for these few flags, and takes no time to load.
 */
import { type Arch, nativeArch, syscallName, syscallNumber, syscallTables } from '@sandlock/bpf';
import { release } from 'node:os';
import { parseArgs, type ParseArgsConfig } from 'node:util';

import { UsageError } from '../../errors/usage-error.js';
import { capabilitiesOf } from './capabilities.js';
import { type BpfCommand } from './help.js';

/** How a profile or rules become a program. */
export interface SourceOptions {
  /** Where rules and profiles are for, and what a call is of that names no architecture. */
  readonly arch: Arch;
  readonly archGiven: boolean;
  readonly capabilities: readonly string[];
  readonly kernel: string;
  readonly layout: 'tree' | 'linear';
}

export interface Call {
  readonly arch: Arch;
  readonly nr: number;
  readonly name: string | undefined;
}

const SOURCE_FLAGS = {
  arch: { type: 'string' }, cap: { type: 'string', multiple: true }, kernel: { type: 'string' }, layout: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Flags = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Flags> = ReturnType<typeof parseArgs<{ options: typeof SOURCE_FLAGS & T; strict: true; allowPositionals: true }>>['values'];

export interface ParsedCommand<T extends Flags> {
  readonly values: Values<T>;
  readonly files: readonly string[];
  readonly source: SourceOptions;
  /** @throws {UsageError} of this command */
  readonly fail: (message: string) => never;
}

/** @param files how many a command takes @throws {UsageError} */
export function parseCommand<T extends Flags>(
  command: BpfCommand, argv: readonly string[], options: T, files: 1 | 2,
): ParsedCommand<T> {
  const fail = (message: string): never => {
    throw new UsageError(message, `sandlock bpf ${command}`);
  };
  const parsed = (() => {
    try {
      return parseArgs({ args: withNegatives(argv), options: { ...SOURCE_FLAGS, ...options }, allowPositionals: true, strict: true });
    } catch (error) {
      // The second sentence explains how to write what was not meant.
      return fail((error as Error).message.split('. ')[0]!);
    }
  })();
  const { positionals } = parsed;
  const { arch, cap, kernel, layout } = parsed.values as { arch?: string; cap?: string[]; kernel?: string; layout?: string };
  if (positionals.length !== files) {
    fail(`${files === 1 ? 'one FILE is' : 'two FILEs are'} needed, "-" for stdin, and ${positionals.length} given`);
  }
  if (positionals.filter((file) => file === '-').length > 1) fail('stdin can be one of the two only');
  if (layout !== undefined && layout !== 'tree' && layout !== 'linear') fail(`--layout is tree or linear, not ${JSON.stringify(layout)}`);
  if (kernel !== undefined && !/^\d+\.\d+/.test(kernel)) fail(`--kernel takes a version such as 6.1, not ${JSON.stringify(kernel)}`);
  const source: SourceOptions = {
    arch: arch === undefined ? nativeArch(process.arch) : isArch(arch) ? arch
      : fail(`there is no architecture ${JSON.stringify(arch)}; known are ${Object.keys(syscallTables).join(', ')}`),
    archGiven: arch !== undefined,
    capabilities: capabilitiesOf(cap ?? [], fail),
    kernel: kernel ?? release(),
    layout: layout === 'linear' ? 'linear' : 'tree',
  };
  return { values: parsed.values as Values<T>, files: positionals, source, fail };
}

/** `openat`, `257` or `i386:openat`. @throws what `fail` throws */
export function callOf(text: string, arch: Arch, fail: (message: string) => never): Call {
  const [, prefix, call] = /^(?:([^:]*):)?(.*)$/s.exec(text)!;
  if (prefix !== undefined && !isArch(prefix)) {
    return fail(`--syscall: there is no architecture ${JSON.stringify(prefix)}; known are ${Object.keys(syscallTables).join(', ')}`);
  }
  const its = prefix ?? arch;
  if (/^(-?\d+|0x[\da-f]+)$/i.test(call!)) {
    const nr = Number(call);
    if (nr < -0x80000000 || nr > 0xffffffff) return fail(`--syscall: ${call} is no 32-bit number`);
    return { arch: its, nr: nr >>> 0, name: syscallName(its, nr >>> 0) };
  }
  const nr = syscallNumber(its, call!);
  return nr === undefined ? fail(`--syscall: ${its} has no system call ${JSON.stringify(call)}`) : { arch: its, nr, name: call };
}

/** `2,0x80001,-1` @throws what `fail` throws */
export function registersOf(text: string, flag: string, most: number, fail: (message: string) => never): bigint[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length > most) fail(`${flag}: ${words.length} values given, and at most ${most} taken`);
  return words.map((word) => {
    const [, sign, digits] = /^(-?)(\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.exec(word) ?? [];
    if (digits === undefined) return fail(`${flag}: ${JSON.stringify(word)} is no number`);
    const value = sign === '-' ? -BigInt(digits) : BigInt(digits);
    if (value < -(1n << 63n) || value >= 1n << 64n) return fail(`${flag}: ${word} does not fit into 64 bits`);
    return value;
  });
}

function isArch(name: string): name is Arch {
  return Object.hasOwn(syscallTables, name);
}

/** A value may be a negative number, which the parser would take for a flag. */
function withNegatives(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (const word of argv) {
    const before = words.at(-1);
    if (/^-\d/.test(word) && (before === '--args' || before === '--syscall')) words[words.length - 1] = `${before}=${word}`;
    else words.push(word);
  }
  return words;
}
