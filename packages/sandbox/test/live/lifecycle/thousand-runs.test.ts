import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

import { targets } from './support.js';

interface Measure {
  fds: number;
  children: number;
  resources: string[];
  used: number;
  rss: number;
}

it('a thousand runs leave no descriptor, child, timer, handle or memory behind', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', `${targets}/thousand.mjs`, '1000'], {
    encoding: 'utf8', timeout: 170_000,
  });
  expect([stderr.replace(/.*ExperimentalWarning.*\n/, ''), status]).toEqual(['', 0]);
  const { before, after } = JSON.parse(stdout) as { before: Measure; after: Measure };
  expect(after.fds).toBe(before.fds);
  expect([before.children, after.children]).toEqual([0, 0]);
  expect(after.resources).toEqual(before.resources);
  expect(after.used - before.used).toBeLessThan(2_000_000); // 800 runs: a leak of 2.5 kB each would show
  expect(after.rss - before.rss).toBeLessThan(64_000_000);
}, 180_000);
