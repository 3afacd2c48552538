import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { READ_ALL, sandlock } from './sandlock.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  writeFileSync(join(folder, 'plain'), 'text\n');
  writeFileSync(join(folder, 'script'), '#!/bin/sh\nexit 5\n');
  chmodSync(join(folder, 'script'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

const sh = (script: string): string[] => ['run', ...READ_ALL, '-e', script];

describe('the exit code of a run', () => {
  it.each([['exit 0', 0], ['exit 37', 37], ['exit 255', 255], ['kill -TERM $$', 143], ['kill -KILL $$', 137], ['exit 126', 126]])(
    'is that of the program: %s ends with %i', async (script, code) => {
      expect(await sandlock(sh(script))).toEqual({ code, signal: null, stdout: '', stderr: '' });
    });

  it('is 127 for a program that could not be executed', async () => {
    const missing = await sandlock(['run', ...READ_ALL, '--', '/no/such/program']);
    expect(missing).toMatchObject({ code: 127, stdout: '' });
    expect(missing.stderr).toMatch(/^sandlock: error: .*\/no\/such\/program.*ENOENT.*\n$/);
    expect(await sandlock(['run', ...READ_ALL, '--', join(folder, 'plain')])).toMatchObject({ code: 127 });
    expect(await sandlock(['run', ...READ_ALL, '--', join(folder, 'script')])).toMatchObject({ code: 5, stderr: '' });
  });

  it('is 127 for a program that no grant covers', async () => {
    const system = ['/usr', '/bin', '/lib', '/lib64'].flatMap((path) => ['--fs-read-if-exists', path]);
    const run = ['--', join(folder, 'script')];
    expect(await sandlock(['run', ...system, ...run])).toMatchObject({ code: 127, stderr: expect.stringMatching(/EACCES/) });
    expect(await sandlock(['run', ...system, '-r', folder, ...run])).toMatchObject({ code: 5, stderr: '' });
  });

  it('is 126 for a step before exec that failed', async () => {
    const result = await sandlock(['run', ...READ_ALL, '--cpu-cores', '4000', '--', 'true']);
    expect(result).toMatchObject({ code: 126, stdout: '' });
    expect(result.stderr).toMatch(/^sandlock: error: .*affinity.*\n$/);
  });

  it('is 1 for a granted path that is missing, in one line that names flag and path', async () => {
    const result = await sandlock(['run', '-r', join(folder, 'gone'), '--', 'true']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^sandlock: error: --fs-read: .*gone.*\n$/);
    expect(result.stderr).not.toMatch(/\n./);
  });

  it('is 1 without a command', async () => {
    expect(await sandlock(['run', ...READ_ALL])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/no command was given/) });
  });

  it('is 2 for a command line that makes no sense, with a line for each thing wrong', async () => {
    expect(await sandlock(['run', '--nonsense', '--', 'true'])).toMatchObject({
      code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: unknown option '--nonsense'/),
    });
    const options = await sandlock(['run', '--max-processes', 'many', '--net-allow-bind', 'x', '--', 'true']);
    expect(options).toMatchObject({ code: 2, stdout: '' });
    expect(options.stderr).toMatch(/^sandlock: error: --net-allow-bind: .*\n/m);
    expect(options.stderr).toMatch(/^sandlock: error: --max-processes: .*\n/m);
    expect(options.stderr.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('the command', () => {
  it('prints version and help to stdout with code 0', async () => {
    expect(await sandlock(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
    expect(await sandlock(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('check [--json]'), stderr: '' });
    expect(await sandlock(['run', '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--fs-read <PATH>'), stderr: '' });
    expect(await sandlock(['check', '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--json'), stderr: '' });
  });

  it.each([[[]], [['nonsense']], [['--nonsense']], [['check', '--nonsense']]])('ends with code 2 and nothing on stdout for %j', async (args) => {
    expect(await sandlock(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: .*\nSee "sandlock.* --help"\.\n$/) });
  });

  it('adds a stack only when asked for it', async () => {
    const args = ['run', '-r', join(folder, 'gone'), '--', 'true'];
    expect((await sandlock(args)).stderr).not.toMatch(/^ {4}at /m);
    expect((await sandlock(args, '', { env: { SANDLOCK_DEBUG: '1' } })).stderr).toMatch(/^ {4}at /m);
  });

  it('checks the machine: code 0 exactly when it says so', async () => {
    const json = await sandlock(['check', '--json']);
    const report = JSON.parse(json.stdout) as { supported: boolean; steps: { name: string }[] };
    expect(json.code).toBe(report.supported ? 0 : 1);
    expect(report.steps.map(({ name }) => name)).toContain('landlock');
    const text = await sandlock(['check']);
    expect(text.code).toBe(json.code);
    expect(text.stdout).toMatch(report.supported ? /^OK: /m : /^UNSUPPORTED: /m);
  });
});
