import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('the handler guide', () => {
  const sections = read('../../../docs/handlers.md').split('\n### ').slice(1);

  it.each(['openat-audit', 'deny-uname', 'inject-file'])('shows %s as it is', (idea) => {
    const section = sections.find((text) => text.split('\n')[0]!.endsWith(`: ${idea}`));
    const code = section?.split('\n## ')[0]!.match(/```ts\n(.*?)```/s)?.[1];
    expect(code).toBeDefined();
    expect(read(`../${idea}/main.ts`)).toContain(code);
  });
});
