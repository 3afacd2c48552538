import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { tooOld } from '../src/node-version.js';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { engines: { node: string } };

describe('a version of Node.js', () => {
  it.each(['20.19.0', '20.20.1', '22.0.0', '24.1.0', '26.0.0-nightly'])('will do: %s', (version) => {
    expect(tooOld(version)).toBeUndefined();
  });

  it.each(['20.18.3', '18.20.8', '16.0.0', '0.12.0'])('is too old, and the line says so and what to do: %s', (version) => {
    expect(tooOld(version)).toMatch(new RegExp(`^sandlock: error: Node\\.js ${version} is too old: 20\\.19 or later is needed\\. Install .*\\.$`));
  });

  it('is needed that the package asks for', () => {
    expect(manifest.engines.node).toBe('>=20.19.0');
    expect(tooOld(/[\d.]+/.exec(manifest.engines.node)![0])).toBeUndefined();
  });
});
