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
    return [{ path: 'cmd', message: 'The command is an array of strings.', hint: 'There is no shell in between: ["sh", "-c", "..."] asks for one.' }];
  }
  if (cmd.length === 0) return [{ path: 'cmd', message: 'The command is empty.', hint: 'Name at least a program.' }];
  const issues: ConfigIssue[] = [];
  cmd.forEach((word: unknown, i) => {
    const path = `cmd[${i}]`;
    if (typeof word !== 'string' && !(word instanceof Uint8Array)) issues.push({ path, message: 'An argument is a string.' });
    else if (word.includes('\0' as never) || (word instanceof Uint8Array && word.includes(0))) {
      issues.push({ path, message: 'An argument cannot contain a NUL byte.' });
    } else if (i === 0 && word.length === 0) issues.push({ path, message: 'The name of the program is empty.' });
  });
  return issues;
}

function optionIssues(options: PopenOptions & RunOptions): ConfigIssue[] {
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
  if (options.cwd !== undefined && (typeof options.cwd !== 'string' || options.cwd.includes('\0'))) {
    refuse('cwd', 'cwd is a path without NUL.');
  }
  for (const [name, value] of Object.entries(options.env ?? {}) as [string, unknown][]) {
    if (name === '' || name.includes('=') || name.includes('\0')) refuse(`env.${name}`, 'A variable has a name without "=" and NUL.');
    else if (typeof value !== 'string' || value.includes('\0')) refuse(`env.${name}`, 'A variable is a string without NUL.');
  }
  if (options.maxBuffer !== undefined) sizeIssue(options.maxBuffer, refuse);
  if (options.name !== undefined) nameIssue(options.name, refuse);
  if (options.handlers !== undefined && !Array.isArray(options.handlers)) refuse('handlers', 'handlers is an array of on(...) bindings.');
  for (const [target, source] of Object.entries(options.fds ?? {})) {
    if (!/^\d+$/.test(target) || Number(target) < 3 || Number(target) > 31) refuse(`fds.${target}`, 'A further descriptor has a number from 3 to 31.');
    if (!Number.isInteger(source) || (source as number) < 0) refuse(`fds.${target}`, 'A descriptor is a non-negative integer.');
  }
  for (const name of ['stdin', 'stdout', 'stderr'] as const) {
    const mode: unknown = options[name];
    if (mode === undefined || STDIO_MODES.includes(mode) || (Number.isInteger(mode) && (mode as number) >= 0)) continue;
    refuse(name, `${name} is 'pipe', 'inherit', 'ignore' or a descriptor.`);
  }
  return issues;
}

function sizeIssue(size: Size, refuse: (path: string, message: string) => void): void {
  try {
    const bytes = maxBufferBytes(size);
    if (Number.isSafeInteger(bytes) && bytes >= 0) return;
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
