import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { command, READ_ALL, sandlock } from './sandlock.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  writeFileSync(join(folder, 'secret'), 'secret\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the streams of a program', () => {
  it('are its own, and nothing else appears on them', async () => {
    expect(await sandlock(['run', ...READ_ALL, '-e', 'cat; echo err >&2'], 'in\0put\n'))
      .toEqual({ code: 0, signal: null, stdout: 'in\0put\n', stderr: 'err\n' });
  });

  it('can be files, which the program then has itself', async () => {
    const file = join(folder, 'out');
    execFileSync('/bin/sh', ['-c', `"$0" "$1" run -r / -e 'echo one; echo two >&2' >"$2" 2>&1`, process.execPath, command, file]);
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });

  it('stay closed where they are closed', () => {
    const script = `exec "$0" "$1" run -r / -e 'readlink /proc/self/fd/0' <&-`;
    expect(execFileSync('/bin/sh', ['-c', script, process.execPath, command], { encoding: 'utf8' })).toBe('/dev/null\n');
  });
});

describe('the flags of a policy', () => {
  it('grant what they name, and nothing beside it', async () => {
    const grants = ['/usr', '/bin', '/lib', '/lib64', '/etc'].flatMap((path) => ['--fs-read-if-exists', path]);
    const read = ['--', 'cat', join(folder, 'secret')];
    expect(await sandlock(['run', ...grants, '-r', folder, ...read])).toMatchObject({ code: 0, stdout: 'secret\n' });
    const refused = await sandlock(['run', ...grants, ...read]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/Permission denied/);
  });

  it('grant writing apart from reading', async () => {
    const write = ['-e', `echo new >"${folder}/new"`];
    expect((await sandlock(['run', ...READ_ALL, ...write])).code).not.toBe(0);
    expect(await sandlock(['run', ...READ_ALL, '-w', folder, ...write])).toMatchObject({ code: 0, stderr: '' });
  });

  it('set up what the program sees', async () => {
    const result = await sandlock(['run', ...READ_ALL, '--clean-env', '--env', 'COLOUR=red', '--cwd', folder, '-e', 'pwd; echo "$COLOUR $SANDLOCK_TEST"'],
      '', { env: { SANDLOCK_TEST: 'inherited' } });
    expect(result).toMatchObject({ code: 0, stdout: `${folder}\nred \n` });
  });

  it('leave the bytes of an argument as they are', () => {
    // Node would turn 0xff into U+FFFD, which is three other bytes.
    const script = `"$0" "$1" run -r / -- printf %s "$(printf 'a\\377b')" | od -An -tx1`;
    expect(execFileSync('/bin/sh', ['-c', script, process.execPath, command], { encoding: 'utf8' }).trim()).toBe('61 ff 62');
  });
});
