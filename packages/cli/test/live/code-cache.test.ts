import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { command } from './sandlock.js';

const dist = dirname(command);

let folder: string;
beforeEach(() => {
  // A copy of the package, as freshly installed.
  folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  cpSync(dist, join(folder, 'dist'), { recursive: true });
  symlinkSync(join(dist, '../node_modules'), join(folder, 'node_modules'));
});
afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true });
});

const run = (): string => execFileSync(process.execPath, [join(folder, 'dist/sandlock.cjs'), 'run', '-r', '/', '--', 'echo', 'ran'], { encoding: 'utf8' });
const caches = (): string[] => (existsSync(join(folder, '.cache')) ? readdirSync(join(folder, '.cache')) : []);

describe('the code cache', () => {
  it('is made by the first run, beside the code, and kept by the next', () => {
    expect(caches()).toEqual([]);
    expect(run()).toBe('ran\n');
    const [name, ...more] = caches();
    expect(more).toEqual([]);
    const made = statSync(join(folder, '.cache', name!));
    expect(run()).toBe('ran\n');
    expect(statSync(join(folder, '.cache', name!)).ino).toBe(made.ino);
    expect(caches()).toEqual([name]);
  });

  it('is made anew when it is damaged', () => {
    run();
    const file = join(folder, '.cache', caches()[0]!);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    expect(run()).toBe('ran\n');
    expect(statSync(file).size).toBeGreaterThan(whole.length / 2);
  });

  it('is made by a run alone, which is what it has to serve', () => {
    const entry = join(folder, 'dist/sandlock.cjs');
    for (const args of [['--version'], ['run', '--help']]) execFileSync(process.execPath, [entry, ...args]);
    expect(() => execFileSync(process.execPath, [entry, 'run'], { stdio: 'pipe' })).toThrow();
    expect(caches()).toEqual([]);
    run();
    expect(caches()).toHaveLength(1);
  });

  it('is not used for code that has changed, also of the same length, and gives way to a new one', () => {
    run();
    const [before] = caches();
    const file = join(folder, 'dist/main.cjs');
    const code = readFileSync(file, 'utf8');
    const changed = code.replace('no command was given', 'NO COMMAND WAS GIVEN');
    expect(changed).not.toBe(code);
    writeFileSync(file, changed);
    const begin = [join(folder, 'dist/sandlock.cjs'), 'run'];
    expect(() => execFileSync(process.execPath, begin, { encoding: 'utf8', stdio: 'pipe' })).toThrow(/NO COMMAND WAS GIVEN/);
    expect(run()).toBe('ran\n');
    expect(caches()).toHaveLength(1);
    expect(caches()).not.toEqual([before]);
  });

  it('is done without where it cannot be written', () => {
    // A file where the folder would be: root can write to a read-only one.
    writeFileSync(join(folder, '.cache'), '');
    expect(run()).toBe('ran\n');
    rmSync(join(folder, '.cache'));
    mkdirSync(join(folder, '.cache'));
    expect(run()).toBe('ran\n');
    expect(caches()).toHaveLength(1);
  });
});
