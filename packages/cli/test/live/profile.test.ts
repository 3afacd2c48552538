/** Runs with a profile, and the command that looks after profiles. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { sandlock, type Ending } from './sandlock.js';

let config: string;
let folder: string;
let work: string;
beforeEach(() => {
  config = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  folder = join(config, 'sandlock/profiles');
  work = join(config, 'work');
  mkdirSync(folder, { recursive: true });
  mkdirSync(work);
});
afterEach(() => rmSync(config, { recursive: true }));

const SYSTEM = '"/usr", "/bin", { path = "/lib", optional = true }, { path = "/lib64", optional = true }';
const save = (name: string, text: string): string => {
  const file = join(folder, `${name}.toml`);
  writeFileSync(file, text);
  return file;
};
const command = (...args: string[]): Promise<Ending> => sandlock(args, '', { env: { XDG_CONFIG_HOME: config } });
const run = (...args: string[]): Promise<Ending> => command('run', ...args);
const lines = ({ stderr }: Ending): string[] => stderr.trimEnd().split('\n');

describe('a run with a profile', () => {
  it('is confined by it: what files say, and what is in them afterwards', async () => {
    for (const name of ['read', 'written', 'secret']) {
      mkdirSync(join(work, name));
      writeFileSync(join(work, name, 'file'), `${name}\n`);
    }
    save('build', `
      [program]
      exec = "sh"
      args = ["-c", '''cd ${work} && for at in read written secret; do cat $at/file; echo more >>$at/file; done; echo $A $B; ulimit -n''']
      env = { A = "profile", B = "profile" }
      [filesystem]
      read = [${SYSTEM}, ${JSON.stringify(join(work, 'read'))}]
      write = [${JSON.stringify(join(work, 'written'))}]
      [limits]
      open_files = 32
    `);
    const confined = await run('-p', 'build');
    expect(confined).toMatchObject({ code: 0, stdout: 'read\nwritten\nprofile profile\n32\n' });
    expect(confined.stderr.match(/Permission denied/g)).toHaveLength(3);
    expect(['read', 'written', 'secret'].map((name) => readFileSync(join(work, name, 'file'), 'utf8'))).toEqual(['read\n', 'written\nmore\n', 'secret\n']);
    // Beside it: flags over the profile. Lists grow, variables are merged, and one value gives way to another.
    const wider = await run('--profile', 'build', '-w', join(work, 'secret'), '--env', 'B=flag', '--max-open-files', '33');
    expect(wider).toMatchObject({ code: 0, stdout: 'read\nwritten\nmore\nsecret\nprofile flag\n33\n' });
    expect(readFileSync(join(work, 'secret', 'file'), 'utf8')).toBe('secret\nmore\n');
  });

  it('is the same from any file', async () => {
    const file = join(work, 'x.toml');
    writeFileSync(file, `program = { exec = "sh", args = ["-c", "exit 7"] }\nfilesystem.read = [${SYSTEM}]`);
    expect(await run('--profile-file', file)).toMatchObject({ code: 7, stderr: '' });
    expect(await sandlock(['run', '--profile-file', file], '', { env: { HOME: '', XDG_CONFIG_HOME: '' } })).toMatchObject({ code: 7, stderr: '' });
  });

  it('runs the program of the profile where none is given, and that alone', async () => {
    save('hello', `filesystem.read = [${SYSTEM}]\nprogram = { exec = "echo", args = ["hello", "-x"] }`);
    save('nothing', `filesystem.read = [${SYSTEM}]`);
    expect(await run('-p', 'hello')).toMatchObject({ code: 0, stdout: 'hello -x\n' });
    expect(await run('-p', 'hello', '--', 'echo', 'bye')).toMatchObject({ code: 0, stdout: 'bye\n' });
    expect(await run('-p', 'hello', '-e', 'echo $0', 'zero')).toMatchObject({ code: 0, stdout: 'zero\n' });
    expect(await run('-p', 'nothing')).toMatchObject({ code: 1, stderr: expect.stringMatching(/no command was given, and profile "nothing" has no exec/) });
  });

  it('lets switches of the profile be on, and flags switch on more', async () => {
    save('clean', `program.clean_env = true\nfilesystem.read = [${SYSTEM}]`);
    const args = ['-e', 'echo ${LEAK-gone}; ulimit -c'];
    expect(await sandlock(['run', '-p', 'clean', ...args], '', { env: { XDG_CONFIG_HOME: config, LEAK: 'leaked' } })).toMatchObject({ stdout: expect.stringMatching(/^gone\n/) });
    expect(await sandlock(['run', '-p', 'clean', '--no-coredump', ...args], '', { env: { XDG_CONFIG_HOME: config, LEAK: 'leaked' } })).toMatchObject({ stdout: 'gone\n0\n' });
  });

  it('says of each thing that cannot be where it came from', async () => {
    save('mixed', `program.no_supervisor = true\nfilesystem.read = [${SYSTEM}]\n[limits]\nmemory = "1G"\ncgroup = "none"`);
    const both = await run('-p', 'mixed', '--num-cpus', '2', '--', 'true');
    expect(both.code).toBe(2);
    expect(lines(both)).toEqual([expect.stringMatching(
      /^sandlock: error: \[program\]\.no_supervisor of profile "mixed": \[program\]\.no_supervisor of profile "mixed" is incompatible with: \[limits\]\.memory of profile "mixed" \(.*\), \[limits\]\.cgroup of profile "mixed" \(.*\), --num-cpus \(/)]);
    // The flag's value took the place of the profile's.
    expect((await run('-p', 'mixed', '-m', '2G', '--', 'true')).stderr).toMatch(/incompatible with: --max-memory \(/);

    save('ports', `filesystem.read = [${SYSTEM}]\nnetwork.allow_bind = [80]`);
    expect(lines(await run('-p', 'ports', '--net-allow-bind', '*', '--', 'true')))
      .toEqual([expect.stringMatching(/^sandlock: error: \[network\]\.allow_bind of profile "ports" and --net-allow-bind: /)]);
    save('calls', `filesystem.read = [${SYSTEM}]\nsyscalls.extra_deny = ["uname", "shmget"]`);
    expect(lines(await run('-p', 'calls', '--extra-deny-syscall', 'semget', '--extra-allow-syscall', 'sysv_ipc', '--', 'true'))).toEqual([
      expect.stringMatching(/^sandlock: error: \[syscalls\]\.extra_deny\[1\] of profile "calls": shmget/), expect.stringMatching(/^sandlock: error: --extra-deny-syscall: semget/),
    ]);
    const file = save('gone', `filesystem.read = [${SYSTEM}, "/nonesuch"]`);
    const gone = await run('--profile-file', file, '-r', '/nonesuch2', '--', 'true');
    expect(gone.code).toBe(1);
    expect(lines(gone)).toEqual([
      expect.stringMatching(/^sandlock: error: \[filesystem\]\.read\[4\] of \/.*gone\.toml: \/nonesuch does not exist/),
      expect.stringMatching(/^sandlock: error: --fs-read: \/nonesuch2 does not exist/),
    ]);
  });

  it('says which limit ended it', async () => {
    save('small', `filesystem.read = [${SYSTEM}]\nlimits = { memory = "24M", cgroup = "none" }`);
    const hungry = ['--', 'sh', '-c', 'x=0123456789abcdef; while :; do x=$x$x; done'];
    expect((await run('-p', 'small', ...hungry)).stderr).toContain('sandlock: ended for exceeding [limits].memory of profile "small"\n');
    expect((await run('-p', 'small', '-m', '25M', ...hungry)).stderr).toContain('sandlock: ended for exceeding --max-memory\n');
  });

  it('does not begin with a profile that is missing or makes no sense: code 1, and a line for each mistake', async () => {
    const missing = await run('-p', 'nosuch', '--', 'touch', join(work, 'made'));
    expect(missing).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^sandlock: error: profile "nosuch": .*nosuch\.toml \(ENOENT\).*\n$/) });
    save('bad', 'memory = "1G"\n[limits]\nprocesess = 4\n[filesystem]\nwrite = ["/"]\nmount = []');
    const bad = await run('-p', 'bad', '-r', '/', '--', 'touch', join(work, 'made'));
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(lines(bad)).toEqual(['memory: unknown field', '[limits].procesess: unknown field', '[filesystem].mount: unknown field']
      .map((what) => expect.stringContaining(`sandlock: error: profile "bad": ${what}`) as string));
    expect(existsSync(join(work, 'made'))).toBe(false);
    save('bad', '[filesystem]\nwrite = ["/"]');
    expect(await run('-p', 'bad', '--', 'touch', join(work, 'made'))).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(work, 'made'))).toBe(true);
  });

  it('tells the status descriptor that it did not begin', async () => {
    const { stdout, code } = await run('-p', 'nosuch', '--status-fd', '1', '--', 'true');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: -1, reason: 'not-started', code: 'ERR_SANDLOCK_PROFILE_NOT_FOUND', message: expect.stringContaining('profile "nosuch"') });
  });

  it('is not looked for where nothing says where, least of all in /tmp', async () => {
    const result = await sandlock(['run', '-p', 'x', '--', 'true'], '', { env: { HOME: undefined, XDG_CONFIG_HOME: undefined } });
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/neither XDG_CONFIG_HOME nor HOME/) });
  });
});

describe('the command line of a run with a profile', () => {
  it.each([
    [['-p', 'a', '--profile-file', 'b']], [['--profile-file', 'b', '-p', 'a']], [['-p', 'a', '-p', 'b']], [['--profile-file', 'a', '--profile-file', 'b']],
    [['-p', '../a']], [['-p', 'a.toml']], [['-p', '']], [['-p', 'a\u001b[2J']],
  ])('is refused for %j', async (args) => {
    for (const name of ['a', 'b']) save(name, `filesystem.read = [${SYSTEM}]`);
    expect(await run(...args, '--', 'true')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: [ -~]*\nSee "sandlock run --help"\.\n$/) });
    expect(await run('-p', 'a', '--', 'true')).toMatchObject({ code: 0 });
  });
});

describe('sandlock profile', () => {
  it('lists names, prints texts and deletes files', async () => {
    expect(await command('profile', 'list')).toMatchObject({ code: 0, stdout: `No profiles found in ${folder}\n`, stderr: '' });
    rmSync(folder, { recursive: true });
    expect(await command('profile', 'list')).toMatchObject({ code: 0, stdout: `No profiles found in ${folder}\n`, stderr: '' });
    mkdirSync(folder);
    const text = '# Not even TOML: \u00e9\n\t[[[';
    save('b', text);
    save('a', '');
    expect(await command('profile', 'list')).toMatchObject({ code: 0, stdout: '  a\n  b\n', stderr: '' });
    expect(await command('profile', 'show', 'b')).toMatchObject({ code: 0, stdout: `${text}\n`, stderr: '' });
    expect(await command('profile', 'delete', '--', 'b')).toMatchObject({ code: 0, stdout: 'Deleted profile "b".\n', stderr: '' });
    expect(existsSync(join(folder, 'b.toml'))).toBe(false);
    expect(existsSync(join(folder, 'a.toml'))).toBe(true);
    for (const verb of ['show', 'delete']) {
      expect(await command('profile', verb, 'b')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^sandlock: error: profile "b": .*ENOENT.*\n$/) });
    }
  });

  it('prints nothing that a terminal obeys, be it of a text, a name or a folder', async () => {
    save('evil', 'a = "\u001b[2J\u009b\u202e\u2028"\r\n\u0007');
    save('x\u001b]0;y\u0007', '');
    expect(await command('profile', 'show', 'evil')).toMatchObject({ code: 0, stdout: 'a = "\\u001b[2J\\u009b\\u202e\\u2028"\r\n\\u0007\n' });
    expect(await command('profile', 'list')).toMatchObject({ code: 0, stdout: '  evil\n' });
    const odd = join(config, 'odd\u001b[2J');
    expect(await sandlock(['profile', 'list'], '', { env: { XDG_CONFIG_HOME: odd } })).toMatchObject({ code: 0, stdout: `No profiles found in ${config}/odd\\u001b[2J/sandlock/profiles\n` });
  });

  it.each(['../outside', '../../work/outside', '..', '.', 'outside.toml', ''])('neither shows nor deletes %j, which is no name', async (name) => {
    for (const at of [config, join(config, 'sandlock'), work]) writeFileSync(join(at, 'outside.toml'), 'secret');
    for (const verb of ['show', 'delete']) {
      expect(await command('profile', verb, name)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: .*\nSee "sandlock profile --help"\.\n$/) });
    }
    for (const at of [config, join(config, 'sandlock'), work]) expect(readFileSync(join(at, 'outside.toml'), 'utf8')).toBe('secret');
  });

  it.each([[[]], [['nonsense']], [['list', 'x']], [['show']], [['show', 'a', 'b']], [['delete']]])('ends with code 2 for %j', async (args) => {
    expect(await command('profile', ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: .*\nSee "sandlock profile --help"\.\n$/) });
  });

  it('prints help', async () => {
    for (const args of [['--help'], ['show', '-h']]) expect(await command('profile', ...args)).toMatchObject({ code: 0, stdout: expect.stringContaining('delete NAME'), stderr: '' });
    expect((await command('--help')).stdout).toContain('profile list');
  });
});
