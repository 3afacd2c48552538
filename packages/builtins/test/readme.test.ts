import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';

import * as exported from '../src/index.js';

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
const readme = read('../README.md');

describe('the README', () => {
  it('shows the example as it is run here', () => {
    const source = read('./examples/families.ts').replace('../../src/index.js', '@sandlock/builtins');
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
  });

  it('shows what the example prints', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await import('./examples/families.js');
    expect(log.mock.calls.flat()).toEqual([false, 'returnValue', 'box', 'continue', 'continue', 'EAGAIN', 3]);
    log.mockRestore();
  });

  it('names everything that is exported', () => {
    for (const name of Object.keys(exported)) expect(readme, name).toMatch(new RegExp(`\\b${name}\\b`));
  });
});
