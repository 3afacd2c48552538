/**
 * The call of a run, checked before anything starts, all issues at once, like the options of a sandbox.
 */
import type { Readable } from 'node:stream';

import { ConfigError, type ConfigIssue } from '../errors.js';
import { GrammarError } from '../options/grammar/grammar-error.js';
import { parseHandler } from '../options/grammar/handler-binding.js';
import { parseRecord, type PlainRecord } from '../options/grammar/record.js';
import { parseSandboxName } from '../options/grammar/sandbox-name.js';
import { isWellFormed } from '../options/grammar/well-formed.js';
import { maxBufferBytes, type PopenOptions, type RunOptions, type Size } from './run-options.js';

const STDIO_MODES: readonly unknown[] = ['pipe', 'inherit', 'ignore'];
const KNOWN = new Set([
  'timeout', 'killGrace', 'signal', 'env', 'cwd', 'maxBuffer', 'name', 'handlers', 'fds',
  'stdin', 'stdout', 'stderr', 'input', 'check',
]);

/**
 * Reads each option, once: what was checked is what is used then, and a getter that fails does so before there is a process.
 *
 * @returns what is no object as it is, for {@link checkCall} to refuse
 */
export function readOnce<T>(options: T): T {
  if (!isObject(options)) return options;
  const inherited = [...KNOWN].filter((name) => name in options && !Object.hasOwn(options, name));
  return { ...Object.fromEntries(inherited.map((name) => [name, options[name as keyof T]])), ...options };
}

/** @throws {ConfigError} with every issue */
export function checkCall(cmd: readonly (string | Uint8Array)[], options: PopenOptions & RunOptions): void {
  const issues = [...commandIssues(cmd), ...optionIssues(options)];
  if (issues.length > 0) throw new ConfigError(issues);
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
  for (const [name, value] of Object.entries(record(options.env, 'env', issues))) {
    if (name === '' || name.includes('=') || !isText(name)) refuse(`env.${name}`, 'A variable has a name without "=" and NUL.');
    else if (!isText(value)) refuse(`env.${name}`, 'A variable is a string without NUL.');
  }
  if (options.maxBuffer !== undefined) sizeIssue(options.maxBuffer, refuse);
  if (options.name !== undefined) issues.push(...grammarIssues('name', () => parseSandboxName(options.name)));
  issues.push(...handlerIssues(options.handlers));
  for (const [target, source] of Object.entries(record(options.fds, 'fds', issues))) {
    const isNumber = String(Number(target)) === target && Number.isInteger(Number(target));
    if (!isNumber || Number(target) < 3 || Number(target) > 31) refuse(`fds.${target}`, 'A further descriptor has a number from 3 to 31, in digits without a zero in front.');
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

/** @returns empty for what is none, which is an issue then */
function record(value: unknown, path: string, issues: ConfigIssue[]): PlainRecord {
  let parsed: PlainRecord = {};
  if (value !== undefined) issues.push(...grammarIssues(path, () => { parsed = parseRecord(value); }));
  return parsed;
}

function handlerIssues(handlers: unknown): ConfigIssue[] {
  if (handlers === undefined) return [];
  if (!Array.isArray(handlers)) return [{ path: 'handlers', message: 'handlers is an array of on(...) bindings.' }];
  return Array.from(handlers as unknown[], (each, i) => grammarIssues(`handlers[${i}]`, () => parseHandler(each))).flat();
}

function grammarIssues(path: string, parse: () => unknown): ConfigIssue[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    return [{ path, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }];
  }
}
