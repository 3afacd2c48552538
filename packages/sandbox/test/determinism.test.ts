import type * as Builtins from '@sandlock/builtins';
import { expect, it, vi } from 'vitest';

import { buildPolicy } from '../src/policy/build-policy.js';
import { determinism } from '../src/run/determinism.js';

const layout = vi.hoisted(() => ({ broken: false }));
vi.mock('@sandlock/builtins', async (original) => {
  const real: typeof Builtins = await original();
  return {
    ...real,
    vdsoPatch: (...args: Parameters<typeof real.vdsoPatch>) => {
      if (layout.broken) throw new real.VdsoError('ERR_SANDLOCK_VDSO_LAYOUT', 'The vDSO of this machine cannot be patched: this process has none.');
      return real.vdsoPatch(...args);
    },
  };
});

const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64';
const policy = (timeStart?: string, timeFrozen?: boolean) => buildPolicy({ timeStart, timeFrozen }, arch).policy;

it('a run without options about it has the machine\'s clock and patches nothing', () => {
  expect(determinism(policy())).toEqual({ clock: undefined, imagePatches: [] });
});

it('a run has one clock, which every program is patched for', () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const { clock, imagePatches } = determinism(policy('2000-01-01T00:00:00Z'));
  expect(imagePatches).toHaveLength(1);
  expect(clock!.startedAt).toBeGreaterThanOrEqual(before);
  expect(clock!.offsetNs % 1000n).toBe(0n);
  const ahead = clock!.startedAt + clock!.offsetNs - 946_684_800n * 10n ** 9n;
  expect(ahead >= 0n && ahead < 20_000_000n).toBe(true); // a tick of the slowest kernels, and some
});

it('a run may have a clock that stands still', () => {
  const start = '2000-01-01T00:00:00.123456789Z';
  expect(determinism(policy(start, true)).clock!.frozenAtNs).toBe(946_684_800_123_456_789n);
  expect(determinism(policy(start, false)).clock!.frozenAtNs).toBeUndefined();
});

it('a machine whose vDSO cannot be patched refuses, and says for which option', () => {
  layout.broken = true;
  expect(() => determinism(policy('2000-01-01T00:00:00Z'))).toThrow(expect.objectContaining({
    name: 'ConfinementError', code: 'ERR_SANDLOCK_VDSO', message: expect.stringContaining('timeStart') as string,
  }) as Error);
  expect(determinism(policy())).toEqual({ clock: undefined, imagePatches: [] });
});
