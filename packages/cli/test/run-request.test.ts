import { ConfigError } from '@sandlock/sandbox';
import { describe, expect, it } from 'vitest';

import { UsageError } from '../src/errors/usage-error.js';
import { HelpRequest, parseRun, type RunRequest } from '../src/run/run-request.js';
import { cliFlags } from '../src/run/policy-flags.js';

function parse(...argv: string[]): RunRequest {
  const request = parseRun(argv);
  if (request instanceof HelpRequest) throw new Error('help');
  return request;
}

describe('the command line of a run', () => {
  it('gives repeated flags as lists, in their order', () => {
    expect(parse('-r', '/usr', '--fs-read', '/etc', '-r=/odd', '-w/tmp', 'true').options)
      .toMatchObject({ fsReadable: ['/usr', '/etc', '=/odd'], fsWritable: ['/tmp'] });
  });

  it('gives switches, also those that begin with no', () => {
    expect(parse('--clean-env', '--no-coredump', '--no-supervisor', 'true').options)
      .toEqual({ cleanEnv: true, noCoredump: true, noSupervisor: true });
    expect(parse('true').options).toEqual({});
  });

  it('leaves everything from the program on to the program', () => {
    expect(parse('-r', '/', 'ls', '-r', '--timeout', '5').command).toEqual(['ls', '-r', '--timeout', '5']);
    expect(parse('-r', '/', '--', '-odd', '--', 'x').command).toEqual(['-odd', '--', 'x']);
  });

  it('runs --exec-shell by the shell, with what follows as its parameters', () => {
    expect(parse('-e', 'echo "$1"').command).toEqual(['/bin/sh', '-c', 'echo "$1"']);
    expect(parse('-e', 'echo "$1"', 'name', '-x').command).toEqual(['/bin/sh', '-c', 'echo "$1"', 'name', '-x']);
  });

  it('reads the flags of the run itself', () => {
    expect(parse('-t', '1.5s', '--kill-after', '200ms', '--status-fd', '1', '-i', 'true')).toMatchObject({
      timeout: { ms: 1500, text: '1.5s' }, killAfter: { ms: 200 }, statusFd: 1, interactive: true,
    });
    expect(parse('true')).toEqual({ options: {}, command: ['true'], interactive: false });
  });

  it('may name no program, for a profile to name it', () => {
    expect(parse('-r', '/')).not.toHaveProperty('command');
    expect(parse('-p', 'build', '--')).toEqual({ options: {}, profile: { name: 'build' }, interactive: false });
    expect(parse('--profile-file', 'a/b.toml', 'true')).toMatchObject({ profile: { file: 'a/b.toml' }, command: ['true'] });
  });

  it.each([[['-p', 'a', '--profile-file', 'b']], [['-p', 'a', '-p', 'a']], [['-p', 'a/b']], [['-p', '..']], [['-p', '']]])('refuses %j', (argv) => {
    expect(() => parseRun([...argv, 'true'])).toThrow(UsageError);
  });

  it.each([[['--nonsense', 'true']], [['-r']], [['--timeout']], [['--clean-env=yes', 'true']]])('refuses %j as usage', (argv) => {
    expect(() => parseRun(argv)).toThrow(UsageError);
  });

  it.each(['0', '-1', 'x', '99999', '1.5', ''])('refuses --status-fd %j', (fd) => {
    expect(() => parse(`--status-fd=${fd}`, 'true')).toThrow(UsageError);
  });

  it('refuses values that mean nothing under the name of their flag', () => {
    expect(() => parse('-t', 'soon', 'true')).toThrow(ConfigError);
    expect(() => parse('--env', 'NOVALUE', 'true')).toThrow(expect.objectContaining({
      code: 'ERR_SANDLOCK_CONFIG', issues: [expect.objectContaining({ path: '--env' })],
    }));
  });

  it('refuses a path that was not UTF-8, rather than grant another', () => {
    expect(() => parse('-r', '/tmp/\ufffd', 'true')).toThrow(/not valid UTF-8/);
    expect(parse('-r', '/tmp/\u00e9', 'true').options).toMatchObject({ fsReadable: ['/tmp/\u00e9'] });
  });

  it('prints help that names every flag there is', () => {
    const help = parseRun(['--help']);
    expect(help).toBeInstanceOf(HelpRequest);
    for (const { flag } of cliFlags) expect((help as HelpRequest).text).toContain(flag);
    expect((help as HelpRequest).text).toContain('--status-fd <FD>');
  });
});
