/**
 * What one run is asked for beside the sandbox's own options.
 *
 * Checked before anything starts, all issues at once, like the options themselves.
 */
import type { HandlerBinding } from '@sandlock/dispatch';
import type { Readable } from 'node:stream';

import { ConfigError, type ConfigIssue } from '../errors.js';
import { parseByteSize } from '../options/grammar/byte-size.js';
import { parseSandboxName } from '../options/grammar/sandbox-name.js';
import { isWellFormed } from '../options/grammar/well-formed.js';

/** A pipe of ours, the caller's own stream, nothing, or a descriptor that stays the caller's. */
export type StdioMode = 'pipe' | 'inherit' | 'ignore' | number;

/** Bytes, or text such as `'64M'`. */
export type Size = number | bigint | string;

export interface StartOptions {
  /** Milliseconds from the start of the call until the tree is ended with reason `'timeout'`. Default: none. */
  readonly timeout?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL when the timeout is over. Default 0: SIGKILL at once. */
  readonly killGrace?: number | undefined;
  /** Ends the tree and rejects with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Set after those of the sandbox. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Instead of the sandbox's. */
  readonly cwd?: string | undefined;
  /** Bytes kept of stdout and of stderr each; more is read and dropped. Default 64 MiB. */
  readonly maxBuffer?: Size | undefined;
  /** Instead of the sandbox's; a name serves one living run at a time. Default `sandbox-<pid>-<n>`. */
  readonly name?: string | undefined;
  /** After those of the sandbox. */
  readonly handlers?: readonly HandlerBinding[] | undefined;
  /** Further descriptors, by their number in the program (3 to 31); they stay the caller's. */
  readonly fds?: Readonly<Record<number, number>> | undefined;
}

export interface PopenOptions extends StartOptions {
  readonly stdin?: StdioMode | undefined;
  readonly stdout?: StdioMode | undefined;
  readonly stderr?: StdioMode | undefined;
}

export interface RunOptions extends StartOptions {
  /** For stdin, which is inherited otherwise. */
  readonly input?: string | Uint8Array | Readable | undefined;
  /** Reject with an ExitError unless the exit code is 0. Default false. */
  readonly check?: boolean | undefined;
}

export const DEFAULT_MAX_BUFFER = 64 * 1024 * 1024;

const STDIO_MODES: readonly unknown[] = ['pipe', 'inherit', 'ignore'];
const KNOWN = new Set([
  'timeout', 'killGrace', 'signal', 'env', 'cwd', 'maxBuffer', 'name', 'handlers', 'fds',
  'stdin', 'stdout', 'stderr', 'input', 'check',
]);

/** @throws {ConfigError} with every issue */
export function checkCall(cmd: readonly (string | Uint8Array)[], options: PopenOptions & RunOptions): void {
  const issues = [...commandIssues(cmd), ...optionIssues(options)];
  if (issues.length > 0) throw new ConfigError(issues);
}

/** @returns bytes */
export function maxBufferBytes(size: Size | undefined): number {
  if (size === undefined) return DEFAULT_MAX_BUFFER;
  return Number(typeof size === 'string' ? parseByteSize(size) : size);
}

function commandIssues(cmd: unknown): ConfigIssue[] {
  if (!Array.isArray(cmd)) {
    return [{ path: 'cmd', message: 'The command is an array of strings.', hint: 'There is no shell in between; runShell() has one.' }];
  }
  if (cmd.length === 0) return [{ path: 'cmd', message: 'The command is empty.', hint: 'Name at least a program.' }];
  // Not forEach(), which steps over the holes of an array.
  return Array.from(cmd as unknown[], (word, i): ConfigIssue[] => {
    const message = wordProblem(word, i);
    return message === undefined ? [] : [{ path: `cmd[${i}]`, message }];
  }).flat();
}

function wordProblem(word: unknown, index: number): string | undefined {
  if (typeof word !== 'string' && !(word instanceof Uint8Array)) return 'An argument is a string.';
  if (typeof word === 'string' ? word.includes('\0') : word.includes(0)) return 'An argument cannot contain a NUL byte.';
  if (typeof word === 'string' && !isWellFormed(word)) return 'An argument contains half a surrogate pair; bytes that are not UTF-8 can be given as a Buffer.';
  return index === 0 && word.length === 0 ? 'The name of the program is empty.' : undefined;
}

function optionIssues(options: PopenOptions & RunOptions): ConfigIssue[] {
  if (!isObject(options)) return [{ path: '', message: 'The options of a run are an object.' }];
  const issues: ConfigIssue[] = [];
  const refuse = (path: string, message: string): void => void issues.push({ path, message });
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) refuse(name, `There is no run option ${JSON.stringify(name)}.`);
  }
  for (const name of ['timeout', 'killGrace'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && (typeof value !== 'number' || !(value >= 0) || !(value <= 2 ** 31 - 1))) {
      refuse(name, `${name} is a number of milliseconds from 0 to ${2 ** 31 - 1}.`);
    }
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) refuse('signal', 'signal is an AbortSignal.');
  if (options.cwd !== undefined && !isText(options.cwd)) refuse('cwd', 'cwd is a path without NUL.');
  if (options.env !== undefined && !isObject(options.env)) refuse('env', 'env is an object of names and values.');
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (name === '' || name.includes('=') || !isText(name)) refuse(`env.${name}`, 'A variable has a name without "=" and NUL.');
    else if (!isText(value)) refuse(`env.${name}`, 'A variable is a string without NUL.');
  }
  if (options.maxBuffer !== undefined) sizeIssue(options.maxBuffer, refuse);
  if (options.name !== undefined) nameIssue(options.name, refuse);
  if (options.handlers !== undefined && !Array.isArray(options.handlers)) refuse('handlers', 'handlers is an array of on(...) bindings.');
  if (options.fds !== undefined && !isObject(options.fds)) refuse('fds', 'fds is an object: by the number in the program, the number here.');
  for (const [target, source] of Object.entries(options.fds ?? {})) {
    if (!/^\d+$/.test(target) || Number(target) < 3 || Number(target) > 31) refuse(`fds.${target}`, 'A further descriptor has a number from 3 to 31.');
    if (!isDescriptor(source)) refuse(`fds.${target}`, 'A descriptor is a non-negative integer.');
  }
  for (const name of ['stdin', 'stdout', 'stderr'] as const) {
    const mode: unknown = options[name];
    if (mode === undefined || STDIO_MODES.includes(mode) || isDescriptor(mode)) continue;
    refuse(name, `${name} is 'pipe', 'inherit', 'ignore' or a descriptor.`);
  }
  if (options.input !== undefined && !isInput(options.input)) refuse('input', 'input is text, bytes or a readable stream.');
  if (options.check !== undefined && typeof options.check !== 'boolean') refuse('check', 'check is true or false.');
  return issues;
}

/** The kernel would take larger numbers for what their low bits say. */
function isDescriptor(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the kernel gets of it is what was given. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && isWellFormed(value);
}

function isInput(value: unknown): boolean {
  if (typeof value === 'string' || value instanceof Uint8Array) return true;
  return isObject(value) && (['on', 'off', 'pause', 'resume', 'pipe', 'destroy'] as const).every((name) => typeof (value as Partial<Readable>)[name] === 'function');
}

function sizeIssue(size: Size, refuse: (path: string, message: string) => void): void {
  try {
    const bytes = maxBufferBytes(size);
    // Number(null) is 0.
    if (['number', 'bigint', 'string'].includes(typeof size) && Number.isSafeInteger(bytes) && bytes >= 0) return;
    refuse('maxBuffer', `maxBuffer is a number of bytes from 0, not ${String(size)}.`);
  } catch (error) {
    refuse('maxBuffer', (error as Error).message);
  }
}

function nameIssue(name: string, refuse: (path: string, message: string) => void): void {
  try {
    parseSandboxName(name);
  } catch (error) {
    refuse('name', (error as Error).message);
  }
}
