/** Another system: what depends on this package can be installed, imported and developed there. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
afterEach(() => void Object.defineProperty(process, 'platform', platform));

describe('on another system', () => {
  it('the packages are installed', () => {
    // npm refuses to install a dependency whose "os" the machine is not.
    for (const name of ['sys', 'bpf', 'dispatch', 'builtins', 'sandbox']) {
      const manifest = new URL(`../../${name}/package.json`, import.meta.url);
      expect(JSON.parse(readFileSync(manifest, 'utf8'))).not.toHaveProperty('os');
    }
  });

  it('importing succeeds, and using fails with a code', async () => {
    Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' });
    const { check, confine, landlockAbi, Sandbox } = await import('../src/index.js');
    const unsupported = expect.objectContaining({ code: 'ERR_SANDLOCK_UNSUPPORTED_PLATFORM' }) as Error;
    for (const use of [() => new Sandbox(), () => confine({ fsReadable: ['/'] }), () => landlockAbi()]) expect(use).toThrow(unsupported);
    expect(await check()).toMatchObject({ supported: false, steps: [{ name: 'platform', ok: false }, { name: 'landlock', ok: false }] });
  });
});
