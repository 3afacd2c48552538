import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import * as sys from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the example of the README runs as printed', () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', example], {
    cwd: new URL('..', import.meta.url), encoding: 'utf8', timeout: 20_000,
  });
  expect(output).toMatch(/^hello\n {0,1}\{[\s\S]*code: 0/);
});

it('the README names every function and class that is exported, and nothing else', () => {
  const section = readme.slice(readme.indexOf('## Exports'), readme.indexOf('Functions throw'));
  const named = [...section.matchAll(/`([A-Za-z][A-Za-z0-9]*)`/g)].map(([, name]) => name!);
  const exported = Object.entries(sys).filter(([, value]) => typeof value === 'function').map(([name]) => name);
  expect(exported.filter((name) => !named.includes(name))).toEqual([]);
  expect(named.filter((name) => !(name in sys))).toEqual([]);
});
