import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
const readme = read('../README.md');

describe('the README', () => {
  it.each(['family', 'fake'])('shows the example %s as it is run here', (name) => {
    const source = read(`./examples/${name}.ts`)
      .replace('../../src/index.js', '@sandlock/dispatch').replace('../../src/testing.js', '@sandlock/dispatch/testing');
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
  });

  it('shows what the example prints', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await import('./examples/fake.js');
    expect(log.mock.calls.flat()).toEqual([true, 'fd', 'hello\n', 'EPERM']);
    log.mockRestore();
  });

  it('names every error code that the sources have, and no other', () => {
    const codes = (text: string) => [...new Set(text.match(/ERR_SANDLOCK_[A-Z_]*[A-Z]/g))].sort();
    expect(codes(readme)).toEqual(codes(read('../src/errors.ts')));
  });
});
