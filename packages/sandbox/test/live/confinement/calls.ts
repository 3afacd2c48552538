/**
 * System calls by number, made by a program of test/targets: in a sandbox, and beside it without one.
 *
 * The program is static, so the only grant it needs is its own folder; everything beyond is a test's.
 */
import { errnoName, nativeArch, syscallNumber } from '@sandlock/bpf';
import { landlockAbiVersion } from '@sandlock/sys';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe } from 'vitest';

import { Sandbox, type RunOptions, type SandboxOptions } from '../../../src/index.js';
import { cString } from './bytes.js';

export const arch = nativeArch(process.arch);
export const isRoot = process.getuid!() === 0;
/** Under the filter of a stock container, which answers some calls before the kernel does: scripts/test/in-container.mjs. */
export const inContainer = process.env['SANDLOCK_TEST_CONTAINER'] === '1';

/** A group of tests that run a sandbox with nothing allowed to be missing. */
export function describeConfined(title: string, tests: () => void): void {
  describe.skipIf(landlockAbiVersion() < 6)(`${title} [needs Landlock ABI 6, listener]`, tests);
}

/** A number, a path, bytes, bytes with pointers in them, or the result of an earlier step. */
export type Argument = number | bigint | string | Uint8Array | Memory | { readonly step: number };

/** Bytes in the target; an array in place of bytes is a pointer to them. */
export class Memory {
  readonly parts: readonly (Uint8Array | readonly (Uint8Array | Memory)[])[];
  constructor(...parts: readonly (Uint8Array | readonly (Uint8Array | Memory)[])[]) {
    this.parts = parts;
  }
}

export interface Step {
  readonly word: string;
  readonly args: readonly Argument[];
}

export interface Answer {
  readonly result: number;
  /** The name, or '' where the call succeeded. */
  readonly error: string;
  /** What each of the memory arguments holds afterwards. */
  readonly memory: readonly Buffer[];
}

/** One system call, by name or number. */
export function call(name: string | number, ...args: Argument[]): Step {
  const nr = typeof name === 'number' ? name : syscallNumber(arch, name);
  if (nr === undefined) throw new Error(`${name} does not exist on ${arch}.`);
  return { word: String(nr), args };
}

/** What is no single call: sleeper, thread, int80, execute. */
export function step(word: string, ...args: Argument[]): Step {
  return { word, args };
}

let folder: string | undefined;

/** The folder of compiled programs, readable by everybody; it goes with the test file. */
export function programFolder(): string {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'sandlock-targets-'));
    chmodSync(folder, 0o755);
  }
  return folder;
}

/** A new folder that a test may grant, empty; it goes with the test file, and is no part of the programs' folder. */
export function scratch(): string {
  const made = mkdtempSync(join(tmpdir(), 'sandlock-scratch-'));
  scratches.push(made);
  return made;
}

const scratches: string[] = [];
const compiledFiles = new Map<string, string>();

/** Compiles a program of test/targets, statically. */
export function compiled(name: string): string {
  let file = compiledFiles.get(name);
  if (file === undefined) {
    file = join(programFolder(), name);
    const source = fileURLToPath(new URL(`../../targets/${name}.c`, import.meta.url));
    const { status, stderr } = spawnSync('gcc', ['-O1', '-Wall', '-static', '-pthread', '-o', file, source], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`gcc could not compile ${name}.c: ${stderr}`);
    compiledFiles.set(name, file);
  }
  return file;
}

afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
  for (const made of scratches.splice(0)) rmSync(made, { recursive: true, force: true });
  compiledFiles.clear();
});

/** Options with the program's own folder granted. */
export function granting({ fsReadable = [], ...rest }: SandboxOptions = {}): SandboxOptions {
  return { fsReadable: [programFolder(), ...fsReadable], ...rest };
}

/** The answers to these steps in a sandbox. */
export async function confined(steps: readonly Step[], options: SandboxOptions = {}, run: RunOptions = {}): Promise<Answer[]> {
  const program = compiled('calls');
  const result = await new Sandbox(granting(options)).run([program], { input: script(steps), timeout: 30_000, ...run });
  if (!result.ok) throw new Error(`The target ended by ${result.signal ?? result.exitCode}, ${result.reason}: ${String(result.stderr)}`);
  return answers(String(result.stdout), steps);
}

/** The same without one, in a session of its own. */
export function unconfined(steps: readonly Step[]): Answer[] {
  const { stdout, status, signal } = spawnSync('setsid', ['-w', compiled('calls')],
    { input: script(steps), encoding: 'utf8', timeout: 30_000, maxBuffer: 64 << 20 });
  if (status !== 0) throw new Error(`The program ended by ${signal ?? status}.`);
  return answers(stdout, steps);
}

/** Only what a call said: an errno's name, or 'ok'. */
export function said(each: readonly Answer[]): string[] {
  return each.map(({ error }) => error || 'ok');
}

export function script(steps: readonly Step[]): string {
  return steps.map(({ word, args }) => `${[word, ...args.map(argument)].join(' ')}\n`).join('');
}

/** The program's standard output as answers. */
export function answers(stdout: string, steps: readonly Step[]): Answer[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.length !== steps.length) throw new Error(`${steps.length} steps, ${lines.length} answers: ${stdout.slice(-500)}`);
  return lines.map((line) => {
    const [result, error, ...memory] = line.split(' ');
    return {
      result: Number(result),
      error: error === '0' ? '' : errnoName(Number(error)) ?? error!,
      memory: memory.map((text) => Buffer.from(text === '-' ? '' : text, 'hex')),
    };
  });
}

function argument(value: Argument): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(BigInt.asUintN(64, BigInt(value)));
  if (typeof value === 'string') return `m${hex(cString(value))}`;
  if (value instanceof Uint8Array) return `m${hex(value)}`;
  if (value instanceof Memory) return `m${contents(value)}`;
  return `r${value.step}`;
}

function contents(value: Uint8Array | Memory): string {
  if (value instanceof Uint8Array) return hex(value);
  return value.parts.map((part) => (part instanceof Uint8Array ? hex(part) : `[${part.map(contents).join('')}]`)).join('');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
