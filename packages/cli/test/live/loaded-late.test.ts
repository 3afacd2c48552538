/** What only runs with a profile need is in a file of its own, which no other run reads. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { command } from './sandlock.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  writeFileSync(join(folder, 'a.toml'), '[filesystem]\nread = ["/"]');
  // What was required, as the last line.
  writeFileSync(join(folder, 'loaded.cjs'), `process.on('exit', () => console.log(Object.keys(require.cache).map((file) => require('node:path').basename(file)).join(' ')));`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const loaded = (...args: string[]): string[] => {
  const { stdout } = spawnSync(process.execPath, ['--require', join(folder, 'loaded.cjs'), command, ...args], { encoding: 'utf8', env: { ...process.env, XDG_CONFIG_HOME: folder } });
  return stdout.trimEnd().split('\n').at(-1)!.split(' ');
};

it('reads TOML with a profile, and does without otherwise', () => {
  expect(loaded('run', '-r', '/', '--', 'true')).not.toContain('toml.cjs');
  expect(loaded('run', '--no-such-flag')).not.toContain('toml.cjs');
  expect(loaded('profile', 'list')).not.toContain('toml.cjs');
  expect(loaded('run', '--profile-file', join(folder, 'a.toml'), '--', 'true')).toContain('toml.cjs');
});
