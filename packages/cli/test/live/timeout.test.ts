import { describe, expect, it } from 'vitest';

import { isLiving, READ_ALL, sandlock } from './sandlock.js';

describe('a timeout', () => {
  it('ends a run with 124, says so, and leaves nothing of it', async () => {
    const begun = performance.now();
    const result = await sandlock(['run', ...READ_ALL, '-t', '700ms', '-e', `
      trap '' TERM INT HUP
      setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done' & echo "pid $!"
      while :; do sleep 1; done`]);
    expect(result).toMatchObject({ code: 124, signal: null, stderr: 'sandlock: timeout after 700ms\n' });
    expect(performance.now() - begun).toBeGreaterThan(700);
    const grandchild = Number(/pid (\d+)/.exec(result.stdout)![1]);
    expect(isLiving(grandchild)).toBe(false);
  });

  it('does nothing to a program that ends in time', async () => {
    expect(await sandlock(['run', ...READ_ALL, '-t', '20', '-e', 'echo done; exit 3'])).toMatchObject({ code: 3, stdout: 'done\n', stderr: '' });
  });

  it('lets a program finish within --kill-after', async () => {
    const result = await sandlock(['run', ...READ_ALL, '-t', '0.5', '--kill-after', '10s', '-e',
      'trap "echo saved; exit 0" TERM; while :; do sleep 0.05; done']);
    expect(result).toMatchObject({ code: 124, stdout: 'saved\n', stderr: expect.stringMatching(/sandlock: timeout after 0\.5s\n$/) });
  });

  it('kills a program that does not finish within --kill-after', async () => {
    const result = await sandlock(['run', ...READ_ALL, '-t', '0.5', '--kill-after', '300ms', '-e',
      'trap "echo asked" TERM; while :; do sleep 0.05; done']);
    expect(result).toMatchObject({ code: 124, stdout: 'asked\n' });
  });
});
