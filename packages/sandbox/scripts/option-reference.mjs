/**
 * Writes docs/options.md from the option records.
 *
 *   node scripts/option-reference.mjs           write it
 *   node scripts/option-reference.mjs --check   fail when it is out of date
 *
 * The text is the file snapshot of a test, so that the test and this script cannot disagree on it.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const check = process.argv.includes('--check');
const { status } = spawnSync(process.execPath,
  [vitest, 'run', 'test/option-reference.test.ts', ...(check ? [] : ['--update'])],
  { cwd: root, stdio: 'inherit', env: check ? { ...process.env, CI: 'true' } : process.env });
process.exitCode = status ?? 1;
