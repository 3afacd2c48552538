import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
const readme = read('../../README.md');

describe('the README', () => {
  it('shows the example as it is run here', () => {
    const source = read('../examples/run.ts').replace('../../src/index.js', '@sandlock/sandbox');
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
  });

  it('shows what the example prints', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await import('../examples/run.js');
    expect(log.mock.calls).toEqual([['granted', true, true], ['4711'], ['through the sandbox']]);
    log.mockRestore();
  });

  it('names every error code that the sources have, and no other', () => {
    const codes = (text: string): string[] => [...new Set(text.match(/ERR_SANDLOCK_[A-Z_]*[A-Z]/g))].sort();
    const sources = ['errors.ts', 'options/grammar/grammar-error.ts'].map((file) => read(`../../src/${file}`)).join('\n');
    expect(codes(readme)).toEqual(codes(sources));
  });
});
