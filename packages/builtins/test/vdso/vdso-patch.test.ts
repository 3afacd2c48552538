import type { HandlerContext } from '@sandlock/dispatch';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { AT_SYSINFO_EHDR, auxiliaryValue } from '../../src/vdso/auxiliary-vector.js';
import { ownVdsoImage } from '../../src/vdso/own-image.js';
import { vdsoPatch } from '../../src/vdso/vdso-patch.js';
import { Child } from '../child.js';

let target: Child;
beforeEach(async () => { target = await new Child().ready(); });
afterEach(() => target.end());

const patch = vdsoPatch({ offsetNs: 3_600_000_000_000n });
const image = () => target.read(auxiliaryValue(target.pid, AT_SYSINFO_EHDR)!, ownVdsoImage().length);
const call = (isValid: () => boolean) => ({ pid: target.pid, isValid }) as HandlerContext;

it('changes the vDSO of the process whose call waits, and only once', () => {
  expect(image()).toEqual(ownVdsoImage());
  expect(patch.apply(call(() => true))).toBe(true);
  const patched = image();
  expect(patched).not.toEqual(ownVdsoImage());
  expect(patch.apply(call(() => true))).toBe(true);
  expect(image()).toEqual(patched);
});

it('changes nothing in a process that may be another by now', () => {
  expect(patch.apply(call(() => false))).toBe(false);
  expect(image()).toEqual(ownVdsoImage());
});

it('throws where there is something else than the vDSO of this machine, and leaves it', () => {
  const base = auxiliaryValue(target.pid, AT_SYSINFO_EHDR)!;
  const other = Buffer.alloc(ownVdsoImage().length, 0xcc);
  target.write(base, other);
  expect(() => patch.apply(call(() => true))).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_VDSO_PATCH' }) as Error);
  expect(image()).toEqual(other);
});
