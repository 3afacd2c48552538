/** Asking whether there is a listener, which makes one where there is none. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { seccompHasListener } from '../src/index.js';

const built = fileURLToPath(new URL('../dist/index.js', import.meta.url));

function listeners(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:seccomp notify';
    } catch {
      return false; // the listing's own
    }
  });
}

it('leaves none behind', () => {
  const before = listeners();
  expect(typeof seccompHasListener()).toBe('boolean');
  expect(listeners()).toEqual(before);
});

it('leaves none behind at number 0 either, where a program has no standard input', () => {
  const program = `
import fs from 'node:fs';
const { seccompHasListener } = await import(process.argv[1]);
fs.closeSync(0);
seccompHasListener();
console.log(fs.lstatSync('/proc/self/fd/0', { throwIfNoEntry: false }) === undefined);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, built], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: 'true\n', stderr: '' });
});
