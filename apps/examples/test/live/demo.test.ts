import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { hasUnshare, runExample, supported, type Finished } from './run-example.js';

describe.skipIf(!supported || !hasUnshare)('demo [needs Landlock ABI 6, listener, unshare]', () => {
  let demo: Finished;
  beforeAll(() => void (demo = runExample('demo', [], { LC_ALL: 'C' })));
  const line = (start: string): string => demo.lines.find((each) => each.includes(start)) ?? '';

  it('says what the kernel offers', () => {
    expect(demo.stdout).toMatch(/^Linux \d+\.\d+.*\n {2}✓ platform/);
    expect(demo.stdout).toMatch(/✓ landlock +ABI \d+/);
    expect(demo.stdout).toMatch(/✓ supervisor/);
  });

  it('reads what was granted, on both sides', () => {
    expect(line('cat shared/notes.txt')).toMatch(/✓ .*Buy milk\. +Buy milk\.$/);
  });

  it('is refused a file, a connection and a namespace that it would have without', () => {
    expect(line('cat secret.txt')).toMatch(/✓ .*The key is under the mat\. +refused: Permission denied$/);
    expect(line('connect to 127.0.0.1')).toMatch(/✓ .*connected +refused: EACCES$/);
    expect(line('unshare')).toMatch(/✓ .*refused: Operation not permitted$/);
  });

  it('has an open answered by a handler', () => {
    expect(line('/answered/by/typescript')).toMatch(/✓ .*refused: No such file or directory +Hello from a TypeScript handler\.$/);
  });

  it('ends with 0 and without colours when nobody is at a terminal', () => {
    expect(demo.lines.at(-1)).toBe('5 of 5 as they should be');
    expect(demo.stdout).not.toContain('\x1b');
    expect(demo.stderr).toBe('');
    expect(demo.code).toBe(0);
  });

  it('ends with 1 and a cross when a program behaves otherwise than it should', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandlock-demo-test-'));
    try {
      // Outside the sandbox this cat is found first; inside, no grant covers it and the search goes on.
      writeFileSync(join(folder, 'cat'), '#!/bin/sh\nexit 1\n');
      chmodSync(join(folder, 'cat'), 0o755);
      const broken = runExample('demo', [], { PATH: `${folder}:${process.env['PATH']}` });
      expect(broken.lines.find((each) => each.includes('cat secret.txt'))).toMatch(/✗/);
      expect(broken.lines.at(-1)).toBe('3 of 5 as they should be');
      expect(broken.code).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
