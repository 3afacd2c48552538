/** What the READMEs print runs, and prints what they say. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { command } from './sandlock.js';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));
const readme = (path: string): string => readFileSync(join(packageFolder, path), 'utf8');

/** Fenced blocks of a language, in their order; '' has those without one. */
function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, of]) => of === language).map(([, , text]) => text!);
}

/** As after `npm install`: the command under its name, without the registry that npx would ask otherwise. */
function shell(script: string): { status: number | null; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(packageFolder, 'node_modules/.readme-'));
  try {
    writeFileSync(join(folder, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${command}" "$@"\n`, { mode: 0o755 });
    return spawnSync('sh', ['-ec', script], { encoding: 'utf8', env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, TMPDIR: folder } });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the README of the repository', () => {
  const [example] = blocks(readme('../../README.md'), 'sh');

  it('runs programs from the shell as printed', () => {
    const result = shell(example!);
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nrefused\n$/), stderr: expect.stringMatching(/^cat: .*Permission denied\n$/) });
  });

  it('runs programs from Node.js, and they print what it says', () => {
    const folder = mkdtempSync(join(packageFolder, 'node_modules/.readme-'));
    try {
      const [program] = blocks(readme('../../README.md'), 'js');
      const printed = /^prints\n\n```\n(.*?)```$/ms.exec(readme('../../README.md'))![1];
      writeFileSync(join(folder, 'example.mjs'), program!);
      const result = spawnSync(process.execPath, [join(folder, 'example.mjs')], { encoding: 'utf8' });
      expect(result).toMatchObject({ status: 0, stdout: printed, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names every package', () => {
    for (const name of ['sandbox', 'cli', 'builtins', 'dispatch', 'bpf', 'sys']) expect(readme('../../README.md')).toContain(`(packages/${name})`);
  });
});

describe('the README of the command', () => {
  it('runs as printed', () => {
    const [runs, status, profile] = blocks(readme('README.md'), 'sh');
    expect(shell(runs!)).toMatchObject({ status: 0, stdout: 'exit code 124\n', stderr: 'sandlock: timeout after 1.5s\n' });
    const [line, code] = shell(status!).stdout.split('\n');
    expect(JSON.parse(line!)).toMatchObject({ exit_code: 7, reason: 'exited' });
    expect(code).toBe('exit code 7');
    expect(shell(profile!)).toMatchObject({ status: 0, stdout: 'hello world\n  hello\n', stderr: '' });
  });

  it('describes every option of the run itself', () => {
    const help = spawnSync(process.execPath, [command, 'run', '--help'], { encoding: 'utf8' }).stdout;
    const own = ['--timeout', '--kill-after', '--exec-shell', '--status-fd', '--interactive', '--profile', '--profile-file'];
    for (const option of own) {
      expect(help).toContain(option);
      expect(readme('README.md')).toContain(`\`${option}`);
    }
  });
});
