import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { parseOptions } from '../../src/options/parse-options.js';
import { parseProfile } from '../../src/profile/parse-profile.js';

const page = readFileSync(new URL('../../../../docs/profiles.md', import.meta.url), 'utf8');

describe('docs/profiles.md', () => {
  it('begins with a profile that is one', async () => {
    const [example] = [...page.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, text]) => text!);
    const { sandbox, program } = await parseProfile(example!);
    expect(program).toEqual({ exec: 'node', args: ['build.mjs'] });
    expect(Object.keys(sandbox).sort()).toEqual(
      ['cleanEnv', 'env', 'fsReadable', 'fsWritable', 'maxMemory', 'maxProcesses', 'netAllow', 'netAllowBind', 'timeStart']);
    expect(() => parseOptions(sandbox)).not.toThrow();
  });
});
