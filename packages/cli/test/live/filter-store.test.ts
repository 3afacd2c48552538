import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Installed } from './installed.js';

let installed: Installed;
beforeEach(() => { installed = new Installed(); });
afterEach(() => installed.remove());

/** struct sock_filter: return SECCOMP_RET_ERRNO | ENOSYS, whatever is called. */
const REFUSES_ALL = Buffer.from('06000000' + '26000500', 'hex');

const folders = (): string[] => installed.cached('filters-').map((name) => join(installed.cache, name));
const files = (): string[] => folders().flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));

/** A kept filter with another one in its place, for the same description. */
function replaceFilter(file: string, filter: Uint8Array, length = filter.length): void {
  const kept = readFileSync(file);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(length);
  writeFileSync(file, Buffer.concat([kept.subarray(0, kept.indexOf(0) + 1), header, filter]));
}

describe('the store of filters', () => {
  it('is filled by a run with a policy that is new, and only its owner may write there', () => {
    expect(installed.run()).toBe('ran\n');
    expect(files()).toHaveLength(1);
    expect(installed.run()).toBe('ran\n');
    expect(files()).toHaveLength(1);
    expect(installed.run('--extra-deny-syscall', 'sync')).toBe('ran\n');
    expect(files()).toHaveLength(2);
    expect([...folders(), ...files()].filter((path) => (statSync(path).mode & 0o022) !== 0)).toEqual([]);
  });

  it('gives the next run with that policy its filter', () => {
    installed.run();
    replaceFilter(files()[0]!, REFUSES_ALL);
    expect(() => installed.run()).toThrow();
    expect(installed.run('--extra-deny-syscall', 'sync')).toBe('ran\n');
  });

  it('gives nothing of a file that was cut off, or is of another description, and makes it anew', () => {
    installed.run();
    const [file] = files();
    const whole = readFileSync(file!);
    for (const damage of [
      () => replaceFilter(file!, REFUSES_ALL, 16),
      () => writeFileSync(file!, whole.subarray(0, whole.indexOf(0) + 3)),
      () => {
        replaceFilter(file!, REFUSES_ALL);
        writeFileSync(file!, readFileSync(file!).fill('x', 10, 11));
      },
    ]) {
      damage();
      expect(installed.run()).toBe('ran\n');
      expect(readFileSync(file!)).toEqual(whole);
    }
  });

  it('gives nothing that another build compiled, and clears it away', () => {
    installed.run();
    const [before] = folders();
    replaceFilter(files()[0]!, REFUSES_ALL);
    utimesSync(join(installed.folder, 'dist/main.cjs'), 1, 1);
    expect(installed.run()).toBe('ran\n');
    expect(folders()).toHaveLength(1);
    expect(folders()).not.toEqual([before]);
  });

  it('does not grow without end', () => {
    installed.run();
    const [folder] = folders();
    for (let n = 0; n < 31; n++) writeFileSync(join(folder!, `${n}`), '');
    expect(files()).toHaveLength(32);
    installed.run('--extra-deny-syscall', 'sync');
    expect(files()).toHaveLength(1);
  });
});
