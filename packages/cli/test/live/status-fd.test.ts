import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { command, READ_ALL, sandlock } from './sandlock.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run with descriptor 3 open on a file, and what it wrote there: one line. */
async function status(...args: string[]): Promise<{ code: number | null; status: Record<string, unknown> }> {
  const file = join(folder, 'status');
  const fd = openSync(file, 'w');
  try {
    const { code } = await sandlock(['run', '--status-fd', '3', ...args], '', { stdio: [fd] });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^[^\n]+\n$/);
    return { code, status: JSON.parse(text) as Record<string, unknown> };
  } finally {
    closeSync(fd);
  }
}

describe('--status-fd', () => {
  it('tells how a program ended, with what it took', async () => {
    expect(await status(...READ_ALL, '-e', 'exit 7')).toEqual({
      code: 7,
      status: {
        exit_code: 7, reason: 'exited', duration_ms: expect.any(Number),
        cpu_ms: { user: expect.any(Number), system: expect.any(Number) },
        peaks: { processes: expect.any(Number), memory_bytes: expect.any(Number) },
      },
    });
  });

  it('tells a program that exits with 137 from one that was killed', async () => {
    const exited = await status(...READ_ALL, '-e', 'exit 137');
    expect(exited).toMatchObject({ code: 137, status: { exit_code: 137, reason: 'exited' } });
    expect(exited.status).not.toHaveProperty('signal');
    expect(await status(...READ_ALL, '-e', 'kill -KILL $$')).toMatchObject({ code: 137, status: { exit_code: -1, signal: 9, reason: 'killed' } });
    expect(await status(...READ_ALL, '-e', 'kill -USR1 $$')).toMatchObject({ code: 138, status: { exit_code: -1, signal: 10, reason: 'signaled' } });
  });

  it('tells of a timeout', async () => {
    expect(await status(...READ_ALL, '-t', '300ms', '--', 'sleep', '60'))
      .toMatchObject({ code: 124, status: { exit_code: -1, signal: 9, reason: 'timeout' } });
  });

  it('tells why a program never ran', async () => {
    expect(await status(...READ_ALL, '--', '/no/such/program'))
      .toMatchObject({ code: 127, status: { exit_code: -1, reason: 'not-started', code: 'ERR_SANDLOCK_EXEC' } });
  });

  it('is not a descriptor of the program', async () => {
    const probe = ['-e', 'if (echo x >&3); then exit 1; else exit 0; fi'];
    expect(await status(...READ_ALL, ...probe)).toMatchObject({ code: 0 });
  });

  it('is refused before anything starts if it is not open', async () => {
    expect(await sandlock(['run', '--status-fd', '99', ...READ_ALL, '-e', 'echo ran']))
      .toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: .*descriptor 99 is not open/) });
  });

  it('is refused before anything starts if it is one of Node\'s own, or cannot be written to', async () => {
    for (let fd = 3; fd < 30; fd++) {
      expect(await sandlock(['run', '--status-fd', String(fd), ...READ_ALL, '-e', 'echo ran']))
        .toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/descriptor \d+ is not open/) });
    }
    const reading = openSync('/etc/passwd', 'r');
    const result = await sandlock(['run', '--status-fd', '3', ...READ_ALL, '-e', 'echo ran'], '', { stdio: [reading] });
    closeSync(reading);
    expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/descriptor 3 is not open for writing/) });
  });

  it('may be a pipe or a stream of the program', () => {
    const words = [process.execPath, command, 'run', '--status-fd', '3', ...READ_ALL, '-e', 'echo ran'];
    const shell = (script: string) => spawnSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8' });
    expect(shell('"$@" 3>&1 | cat').stdout).toMatch(/^ran\n\{"exit_code":0,/);
    expect(shell('{ "$@" 3>&1 >&4 | cat >&2; } 4>&1')).toMatchObject({ stdout: 'ran\n', stderr: expect.stringMatching(/^\{"exit_code":0,/) });
  });
});
