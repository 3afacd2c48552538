import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { READ_ALL, sandlock } from './sandlock.js';

describe.skipIf(!existsSync('/usr/bin/perl'))('a limit of memory [needs perl]', () => {
  const take = (mebibytes: number) => ['run', ...READ_ALL, '-m', '64M', '--cgroup', 'none', '--', '/usr/bin/perl', '-e', `my $x = "x" x (${mebibytes} << 20); print length $x`];

  it('ends a program that exceeds it, and says so', async () => {
    expect(await sandlock(take(200))).toMatchObject({ code: 137, stdout: '', stderr: 'sandlock: ended for exceeding --max-memory\n' });
  });

  it('leaves a program within it alone', async () => {
    expect(await sandlock(take(10))).toMatchObject({ code: 0, stdout: String(10 << 20), stderr: '' });
  });
});
