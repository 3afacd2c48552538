import { describe, expect, it } from 'vitest';

import { optionNamed, OPTION_NAMES } from '../../src/options/option-table.js';
import { parseProfile } from '../../src/profile/parse-profile.js';
import { keysOf } from '../../src/profile/profile-fields.js';
import { errorOf, issuesOf } from './support.js';

const options = async (text: string) => (await parseProfile(text)).sandbox;

describe('parseProfile', () => {
  it('gives options as Sandbox takes them, and the program apart', async () => {
    expect(await parseProfile(`
      [program]
      exec = "node"
      args = ["build.mjs", ""]
      clean_env = true
      env = { LANG = "C.UTF-8", __proto__ = "x" }
      uid = 1000
      gid = 100
      [filesystem]
      read = ["/usr", { path = "/lib64", optional = true }, "relative"]
      [network]
      allow = [":443"]
      allow_bind = [8080, "9000-9005", "*"]
      [determinism]
      random_seed = 9223372036854775807
      [limits]
      memory = "1G"
      processes = 0x30
      open_files = 1_024
    `)).toEqual({
      sandbox: {
        cleanEnv: true, env: Object.fromEntries([['LANG', 'C.UTF-8'], ['__proto__', 'x']]), user: { uid: 1000, gid: 100 },
        fsReadable: ['/usr', { path: '/lib64', optional: true }, 'relative'], netAllow: [':443'], netAllowBind: [8080, '9000-9005', '*'],
        randomSeed: 9223372036854775807n, maxMemory: '1G', maxProcesses: 48, maxOpenFiles: 1024,
      },
      program: { exec: 'node', args: ['build.mjs', ''] },
    });
    expect(await options('[program.env]\n__proto__ = "x"')).toEqual({ env: Object.fromEntries([['__proto__', 'x']]) });
  });

  it('takes an empty one, and empty sections', async () => {
    expect(await parseProfile('')).toEqual({ sandbox: {}, program: {} });
    expect(await parseProfile('# nothing\n[filesystem]\n[limits]')).toEqual({ sandbox: {}, program: {} });
  });

  it('takes sizes as text or bytes', async () => {
    expect(await options('limits.memory = 4096')).toEqual({ maxMemory: 4096 });
    expect(await options('limits.memory = 9223372036854775807')).toEqual({ maxMemory: 9223372036854775807n });
  });

  it.each([
    ['2000-01-01T00:00:00Z', '2000-01-01T00:00:00Z'], ['2000-01-01 01:02:03.123456789+02:00', '2000-01-01 01:02:03.123456789+02:00'],
    ['"2000-01-01T00:00:00Z"', '2000-01-01T00:00:00Z'],
  ])('takes a moment as a date or as text, to the nanosecond: %s', async (toml, timeStart) => {
    expect(await options(`# not 2000-01-01, nor 1999-01-01T00:00:00Z\ndeterminism.time_start = ${toml}`)).toEqual({ timeStart });
  });

  it.each([
    ['2000-01-01', /no time of day/], ['2000-01-01T00:00:00', /no zone/], ['"2000-01-01T00:00:00"', /no zone/], ['00:00:00', /no RFC 3339/],
    ['2001-02-30T00:00:00Z', /a day that there is not/], ['946684800', /a date or text/], ['true', /a date or text/], ['{}', /a date or text/],
  ])('refuses a moment that is not one: %s', async (toml, message) => {
    expect(await issuesOf(parseProfile(`determinism.time_start = ${toml}`)))
      .toEqual([expect.objectContaining({ path: '[determinism].time_start', message: expect.stringMatching(message) })]);
  });

  it('refuses a date that another of the document cannot be told from', async () => {
    expect(await issuesOf(parseProfile('determinism.time_start = 2000-01-01T00:00:00.0001Z # not 2000-01-01T00:00:00.0002Z')))
      .toEqual([expect.objectContaining({ message: expect.stringMatching(/cannot be told/), hint: expect.any(String) })]);
  });

  it('refuses a date without seconds, which RFC 3339 has not', async () => {
    expect(await issuesOf(parseProfile('determinism.time_start = 2000-01-01T00:00Z')))
      .toEqual([expect.objectContaining({ message: expect.stringMatching(/not written as RFC 3339|not TOML/) })]);
  });

  it('tells of every mistake at once, each by its key and with what to do', async () => {
    const error = await errorOf(parseProfile(`
      memory = "1G"
      nonsense = 1
      limits.memory = "1Q"
      limits.procesess = 3
      limits.maxOpenFiles = 3
      limits.read = []
      filesytem.read = []
      http.allow = ["GET a/*"]
      filesystem.mount = ["/a:/b"]
      filesystem.on_error = "abort"
      filesystem.read = ["/a", 3, { path = "/b", optinal = true }]
      filesystem."\\u001b[31m" = 1
      program.gid = 5
      program.env = { A = 1 }
      program.args = ["x"]
      network.allow_bind = [8080, "9-8", 70000]
    `), 'ERR_SANDLOCK_PROFILE_INVALID');
    const found = Object.fromEntries(error.issues.map(({ path, message, hint }) => [path, [message, hint] as const]));
    expect(Object.keys(found).sort()).toEqual([
      'memory', 'nonsense', '[limits].memory', '[limits].procesess', '[limits].maxOpenFiles', '[limits].read', '[filesytem]', '[http]',
      '[filesystem].mount', '[filesystem].on_error', '[filesystem].read[1]', '[filesystem].read[2]', '[filesystem]."\\u001b[31m"',
      '[program].uid', '[program].env.A', '[program].args', '[network].allow_bind[1]', '[network].allow_bind[2]',
    ].sort());
    for (const path of ['memory', 'nonsense', '[limits].procesess', '[filesytem]', '[http]', '[filesystem].mount', '[filesystem].on_error', '[limits].read']) {
      expect(found[path]![0], path).toMatch(/^unknown field "/);
    }
    expect(found['memory']![1]).toMatch(/Move it to \[limits\]/);
    expect(found['[limits].procesess']![1]).toBe('Did you mean processes?');
    expect(found['[limits].maxOpenFiles']![1]).toBe('Did you mean open_files?');
    expect(found['[limits].read']![1]).toBe('It stands in [filesystem].');
    expect(found['[filesytem]']![1]).toBe('Did you mean [filesystem]?');
    expect(found['[filesystem].on_error']![1]).toMatch(/^Keys are read, write/);
    for (const path of Object.keys(found)) expect(error.message).toContain(`the profile: ${path}: `);
  });

  it.each([
    ['limits = 3', '[limits]'], ['[[limits]]', '[limits]'], ['limits.processes = 3.0', '[limits].processes'], ['limits.processes = "3"', '[limits].processes'],
    ['limits.processes = nan', '[limits].processes'], ['limits.processes = 99999999999999999', '[limits].processes'], ['limits.cpu_cores = 0', '[limits].cpu_cores'],
    ['limits.cpu_cores = [0, 1.5]', '[limits].cpu_cores[1]'],
    ['network.allow_bind = 8080', '[network].allow_bind'], ['filesystem.read = "/usr"', '[filesystem].read'], ['filesystem.read = [1979-05-27]', '[filesystem].read[0]'],
    ['program.clean_env = "yes"', '[program].clean_env'], ['program.env = ["A=1"]', '[program].env'], ['program.env = { A = 1979-05-27 }', '[program].env."A"'],
    ['program.exec = ["sh"]', '[program].exec'], ['program.exec = ""', '[program].exec'], ['program = { exec = "a\\u0000" }', '[program].exec'],
    ['program = { exec = "sh", args = "x" }', '[program].args'], ['program = { exec = "sh", args = ["x", 1] }', '[program].args[1]'],
    ['program = { uid = 1, gid = 1.5 }', '[program].gid'], ['program = { uid = -1, gid = 1 }', '[program].uid'], ['program.cwd = 1979-05-27', '[program].cwd'],
    ['program.no_supervisor = 1', '[program].no_supervisor'], ['syscalls.extra_deny = ["nosuch"]', '[syscalls].extra_deny[0]'],
    [`determinism.time_start = ${'{ a = '.repeat(14)}1${' }'.repeat(14)}`, '[determinism].time_start'],
  ])('refuses %s', async (text, path) => {
    expect((await issuesOf(parseProfile(text))).map((issue) => issue.path)).toEqual([path]);
  });

  it.each(['a', 'a = ', '[limits', 'a = 1\na = 2', '[limits]\n[limits]', 'a = "\u0007"', `a = ${'['.repeat(9999)}`, `[${'a.'.repeat(99)}a]`])(
    'refuses what is no TOML, without what it says: %j', async (text) => {
      const [issue, ...more] = await issuesOf(parseProfile(text));
      expect(more).toEqual([]);
      expect(issue).toMatchObject({ path: '', message: expect.stringMatching(/^It is (not TOML, at line \d+, column \d+: [ -~]+|nested.*)\.$/) });
    });
});

describe('the keys of a profile', () => {
  it('take no option whose record has none', async () => {
    const without = OPTION_NAMES.filter((name) => optionNamed(name).profile === undefined);
    expect(without).toEqual(['keepCapabilities', 'name', 'allowDegraded', 'disable', 'handlers']);
  });

  it('are words of TOML that need no quotation marks', () => {
    for (const name of OPTION_NAMES) {
      const { profile } = optionNamed(name);
      if (profile !== undefined) for (const word of [profile.section, ...keysOf(profile)]) expect(word).toMatch(/^[a-z][a-z_]*$/);
    }
  });
});
