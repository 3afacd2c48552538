/** The README's examples, run as they are printed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const path = (name: string): string => new URL(name, import.meta.url).pathname;
const readme = readFileSync(path('../README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'sandlock-bpf-readme-'));

/** The sections of "Three tasks": title, file, command and what it prints. */
const tasks = readme.split('\n## ').find((part) => part.startsWith('Three tasks'))!.split('\n### ').slice(1).map((section) => {
  const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section)![1]!;
  const code = block('js');
  return { title: section.split('\n')[0]!, file: /^\/\/ (\S+\.mjs)/.exec(code)![1]!, code, command: block('sh'), output: block('text') };
});

const bwrapWorks = spawnSync('bwrap', ['--ro-bind', '/', '/', 'true']).status === 0 && process.arch === 'x64';

beforeAll(async () => {
  const installed = join(folder, 'node_modules/@sandlock/bpf');
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: '@sandlock/bpf', type: 'module', exports: './index.js' }));
  await build({ entryPoints: [path('../src/index.ts')], bundle: true, format: 'esm', outfile: join(installed, 'index.js') });
  copyFileSync(path('data/docker-default-seccomp.json'), join(folder, 'profile.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the README', () => {
  it('has three tasks', () => {
    expect(tasks).toHaveLength(3);
  });

  for (const { title, file, code, command, output } of tasks) {
    const needsBwrap = command.includes('bwrap');
    it.skipIf(needsBwrap && !bwrapWorks)(`prints what it says: ${title}${needsBwrap ? ' [needs bwrap on x86_64]' : ''}`, () => {
      writeFileSync(join(folder, file), code);
      expect(execFileSync('sh', ['-ec', command], { cwd: folder, encoding: 'utf8' })).toBe(output);
    });
  }

  it('names every error code', () => {
    const codes = [...readFileSync(path('../src/filter-error.ts'), 'utf8').matchAll(/'ERR_SANDLOCK_FILTER_(\w+)'/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) expect(readme).toContain(`| \`${code}\` |`);
  });
});
