/** A program that may rename what is above a procfs does so without a pause, while others are started; and other ways to miss what is above it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { inContainer, python } from '../lifecycle/support.js';

const STARTS = 100;
const WORD = 'SECRET_OF_PROCESS_1';
const target = (name: string) => fileURLToPath(new URL(`targets/${name}`, import.meta.url));
const namespaces = [...(process.getuid!() === 0 ? [] : ['--user', '--map-root-user']), '--mount', '--pid', '--fork', '--mount-proc'];
const available = !inContainer && python === '/usr/bin/python3' && spawnSync('unshare', [...namespaces, 'true']).status === 0;

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'sandlock-above-')); });
afterAll(() => rmSync(folder, { recursive: true }));

function inNamespaces(script: string, ...args: string[]): Record<string, unknown> {
  const { stdout, stderr } = spawnSync('unshare', [...namespaces, process.execPath, target(script), folder, ...args], {
    encoding: 'utf8', timeout: 150_000, env: { ...process.env, [WORD]: 'x' },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.skipIf(!available)('a directory above a procfs [needs unshare(1) with --mount and --pid, python]', () => {
  it('is not taken for another one by any start, however often the two are exchanged', () => {
    const report = inNamespaces('exchange-above-procfs.mjs', String(STARTS), WORD);
    expect(report).toMatchObject({ leaked: [], attacker: 0, seenFromOutside: true });
    expect(Number(report['started']) + Number(report['moving'])).toBe(3 * STARTS);
    expect(report['beside']).toBe(report['started']);
    // There is nearly always something to read for whoever goes by names.
    expect(Number(report['started'])).toBeGreaterThan(STARTS);
    expect(Number(report['byName'])).toBeGreaterThan(10);
  }, 180_000);

  it('is renamed where it is, and not moved to where a program has been granted more', () => {
    expect(inNamespaces('moved-above-procfs.mjs')).toEqual({
      moved: 'EXDEV done done done done', seen: 'beside;new;FileNotFoundError;PermissionError;', fromOutside: 'Name:\tnode',
    });
  }, 60_000);

  it.skipIf(process.getuid!() !== 0)('is found by whoever may look, also where the same process was refused a look before [needs root]', () => {
    expect(inNamespaces('refused-above-procfs.mjs')).toEqual({
      refused: 'EACCES', begun: 'exited', same: 'beside Permission denied', another: 'beside Permission denied', fromOutside: 'Name:\tnode',
    });
  }, 60_000);
});
