import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { listProfiles, loadProfile } from '../../src/index.js';
import { namedProfile, profileFolder } from '../../src/profile/profile-source.js';
import { deleteProfile } from '../../src/profile/profiles.js';
import { errorOf } from './support.js';

let config: string;
let folder: string;
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), 'sandlock-profiles-'));
  folder = join(config, 'sandlock/profiles');
  mkdirSync(folder, { recursive: true });
  vi.stubEnv('XDG_CONFIG_HOME', config);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(config, { recursive: true });
});
const save = (name: string, text = '[limits]\ncpu = 50\n'): void => writeFileSync(join(folder, name), text);

describe('the folder of profiles', () => {
  it.each([
    [{ XDG_CONFIG_HOME: '/a', HOME: '/b' }, '/a/sandlock/profiles'],
    [{ HOME: '/b' }, '/b/.config/sandlock/profiles'],
    [{ XDG_CONFIG_HOME: '', HOME: '/b' }, '/b/.config/sandlock/profiles'],
    // Relative to a working directory that anybody may have chosen.
    [{ XDG_CONFIG_HOME: 'a', HOME: '/b' }, '/b/.config/sandlock/profiles'],
  ])('of %j is %s', (environment, path) => {
    expect(profileFolder(environment)).toBe(path);
  });

  it.each([{}, { HOME: '' }, { HOME: 'b', XDG_CONFIG_HOME: './a' }])('of %j is an error, and nowhere that others may write to', async (environment) => {
    expect(() => profileFolder(environment)).toThrow(expect.objectContaining({
      code: 'ERR_SANDLOCK_PROFILE_NOT_FOUND', message: expect.stringMatching(/XDG_CONFIG_HOME.*HOME/),
    }));
    vi.stubEnv('XDG_CONFIG_HOME', undefined);
    vi.stubEnv('HOME', undefined);
    await errorOf(listProfiles(), 'ERR_SANDLOCK_PROFILE_NOT_FOUND');
    await errorOf(loadProfile('build'), 'ERR_SANDLOCK_PROFILE_NOT_FOUND');
  });
});

describe('loadProfile', () => {
  it('reads a profile by its name, and any file by its path', async () => {
    save('build.toml', '[limits]\ncpu = 50\n[program]\nexec = "sh"');
    const profile = { sandbox: { maxCpu: 50 }, program: { exec: 'sh' } };
    expect(await loadProfile('build')).toEqual(profile);
    expect(await loadProfile(join(folder, 'build.toml'))).toEqual(profile);
    symlinkSync('build.toml', join(folder, 'linked.toml'));
    expect(await loadProfile('linked')).toEqual(profile);
  });

  it('says of one that is not there what it looked for', async () => {
    const named = await errorOf(loadProfile('build'), 'ERR_SANDLOCK_PROFILE_NOT_FOUND');
    expect(named.message).toMatch(/^profile "build": There is no file .*\/sandlock\/profiles\/build\.toml \(ENOENT\)\. ./);
    expect(named.cause).toMatchObject({ code: 'ENOENT' });
    const path = join(config, 'build.toml');
    expect((await errorOf(loadProfile(path), 'ERR_SANDLOCK_PROFILE_NOT_FOUND')).message).toMatch(new RegExp(`^${path}: There is no file`));
  });

  it.each(['', '..', '.', '...', '.hidden', 'a.b', 'build.toml', 'a\0b', 'a\nb', '\u001b[2J', '\u009b', '\u2028', '\u202e', '\ud800', 'x'.repeat(65)])(
    'takes %j for no name of a profile', async (name) => {
      const error = await errorOf(loadProfile(name), 'ERR_SANDLOCK_PROFILE_NOT_FOUND');
      expect(error.message).toMatch(/./);
      expect(error.cause).toBeUndefined(); // no file was looked for
    });

  it('lets no name lead out of the folder', () => {
    writeFileSync(join(config, 'outside.toml'), '');
    for (const name of ['../../outside', '/etc/x', 'a/b', '..', '../x']) {
      expect(() => namedProfile(name), name).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_PROFILE_NOT_FOUND' }));
    }
    expect(namedProfile('outside').path).toBe(join(folder, 'outside.toml'));
  });

  it('names profile or file in every mistake', async () => {
    save('build.toml', 'cpu = 1\n[limits]\ncpu = 200');
    const error = await errorOf(loadProfile('build'), 'ERR_SANDLOCK_PROFILE_INVALID');
    expect(error).toMatchObject({ profile: 'profile "build"', issues: [{ path: 'cpu' }, { path: '[limits].cpu' }] });
    expect(error.message.match(/profile "build": /g)).toHaveLength(2);
    expect((await errorOf(loadProfile(join(folder, 'build.toml')), 'ERR_SANDLOCK_PROFILE_INVALID')).profile).toBe(join(folder, 'build.toml'));
  });

  it('takes neither what is not UTF-8 nor what does not end nor what is no file', async () => {
    writeFileSync(join(folder, 'latin.toml'), Buffer.from('# \xe9\n', 'latin1'));
    expect((await errorOf(loadProfile('latin'), 'ERR_SANDLOCK_PROFILE_INVALID')).message).toMatch(/not UTF-8/);
    expect((await errorOf(loadProfile('/dev/zero'), 'ERR_SANDLOCK_PROFILE_INVALID')).message).toMatch(/longer than/);
    mkdirSync(join(folder, 'folder.toml'));
    expect((await errorOf(loadProfile('folder'), 'ERR_SANDLOCK_PROFILE_INVALID')).message).toMatch(/no regular file/);
    expect((await errorOf(loadProfile(folder), 'ERR_SANDLOCK_PROFILE_INVALID')).message).toMatch(/EISDIR/);
    expect(spawnSync('mkfifo', [join(folder, 'fifo.toml')]).status).toBe(0);
    expect((await errorOf(loadProfile('fifo'), 'ERR_SANDLOCK_PROFILE_INVALID')).message).toMatch(/no regular file/);
  });

  it('says why a file cannot be read', async () => {
    symlinkSync('itself.toml', join(folder, 'itself.toml'));
    expect((await errorOf(loadProfile('itself'), 'ERR_SANDLOCK_PROFILE_INVALID')).message).toMatch(/cannot be read \(ELOOP\)/);
  });
});

describe('listProfiles', () => {
  it('gives the names that can be loaded, sorted', async () => {
    for (const name of ['b.toml', 'a.toml', 'B-2.toml', 'a.b.toml', '.toml', 'notes.txt', 'x\n.toml', '\u001b[2J.toml', 'toml']) save(name);
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'x')), Buffer.of(0xff), Buffer.from('.toml')]), '');
    expect(await listProfiles()).toEqual(['B-2', 'a', 'b']);
    for (const name of await listProfiles()) await expect(loadProfile(name)).resolves.toBeDefined();
  });

  it('gives none where there is no folder yet', async () => {
    rmSync(folder, { recursive: true });
    expect(await listProfiles()).toEqual([]);
  });
});

describe('deleteProfile', () => {
  it('removes a profile and not what it is a link to', async () => {
    save('kept.toml');
    symlinkSync('kept.toml', join(folder, 'link.toml'));
    await deleteProfile(namedProfile('link'));
    expect(await listProfiles()).toEqual(['kept']);
    await deleteProfile(namedProfile('kept'));
    expect(await listProfiles()).toEqual([]);
    await errorOf(deleteProfile(namedProfile('kept')), 'ERR_SANDLOCK_PROFILE_NOT_FOUND');
  });
});
