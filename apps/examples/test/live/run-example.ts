/** Built examples, run as a person would run them. */
import { check } from '@sandlock/sandbox';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const supported = (await check()).supported;
export const hasPython = spawnSync('python3', ['--version']).status === 0;
export const hasUnshare = spawnSync('unshare', ['--version']).error === undefined;

export interface Finished {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
}

/** @param idea the folder of the example */
export function runExample(idea: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Finished {
  const file = fileURLToPath(new URL(`../../dist/${idea}/main.js`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is not there: build the examples first.`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args],
    { encoding: 'utf8', timeout: 50_000, env: { ...process.env, ...env } });
  return { code: status, lines: stdout.trimEnd().split('\n'), stdout, stderr };
}
