import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Installed } from './installed.js';

let installed: Installed;
beforeEach(() => { installed = new Installed(); });
afterEach(() => installed.remove());

const caches = (): string[] => installed.cached('v');

describe('the code cache', () => {
  it('is made by the first run, beside the code, and kept by the next', () => {
    expect(caches()).toEqual([]);
    expect(installed.run()).toBe('ran\n');
    const [name, ...more] = caches();
    expect(more).toEqual([]);
    const made = statSync(join(installed.cache, name!));
    expect(installed.run()).toBe('ran\n');
    expect(statSync(join(installed.cache, name!)).ino).toBe(made.ino);
    expect(caches()).toEqual([name]);
  });

  it('is made anew when it is damaged', () => {
    installed.run();
    const file = join(installed.cache, caches()[0]!);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    expect(installed.run()).toBe('ran\n');
    expect(statSync(file).size).toBeGreaterThan(whole.length / 2);
  });

  it('is made by a run alone, which is what it has to serve', () => {
    for (const args of [['--version'], ['run', '--help']]) execFileSync(process.execPath, [installed.command, ...args]);
    expect(() => execFileSync(process.execPath, [installed.command, 'run'], { stdio: 'pipe' })).toThrow();
    expect(installed.cached()).toEqual([]);
    installed.run();
    expect(caches()).toHaveLength(1);
  });

  it('is not used for code that has changed, also of the same length, and gives way to a new one', () => {
    installed.run();
    const [before] = caches();
    const file = join(installed.folder, 'dist/main.cjs');
    const code = readFileSync(file, 'utf8');
    const changed = code.replace('no command was given', 'NO COMMAND WAS GIVEN');
    expect(changed).not.toBe(code);
    writeFileSync(file, changed);
    expect(() => execFileSync(process.execPath, [installed.command, 'run'], { encoding: 'utf8', stdio: 'pipe' })).toThrow(/NO COMMAND WAS GIVEN/);
    expect(installed.run()).toBe('ran\n');
    expect(caches()).toHaveLength(1);
    expect(caches()).not.toEqual([before]);
  });

  it('is done without where it cannot be written', () => {
    // A file where the folder would be: root can write to a read-only one.
    writeFileSync(installed.cache, '');
    expect(installed.run()).toBe('ran\n');
    rmSync(installed.cache);
    mkdirSync(installed.cache);
    expect(installed.run()).toBe('ran\n');
    expect(caches()).toHaveLength(1);
  });
});
