/**
 * A machine that denies pidfd_getfd(2), as a container's default filter does. The filter is on this test's own
 * thread and cannot be taken off again, so this file is alone in its process.
 */
import { allow, compileFilter, errno, nativeArch } from '@sandlock/bpf';
import { seccompSetModeFilter } from '@sandlock/sys';
import { afterAll, expect, it } from 'vitest';

import { listen } from '../../src/index.js';
import { closeAll, Supervised } from '../supervised.js';

afterAll(closeAll);

const contained = process.env['SANDLOCK_TEST_CONTAINER'] === '1'; // where it is denied to begin with

it.skipIf(process.getuid!() !== 0 || contained)('listen without pidfd_getfd(2) is refused, and the family says why [needs root, no container]', async () => {
  expect(listen({ bindPorts: [80] }).reason()).toBeUndefined();
  seccompSetModeFilter(0, compileFilter({
    defaultAction: allow(),
    architectures: [{ arch: nativeArch(process.arch), rules: [{ syscall: 'pidfd_getfd', action: errno('EPERM') }] }],
  }).bytes);
  const family = listen({ bindPorts: [80] });
  expect(family.reason()).toMatch(/pidfd_getfd fails here with EPERM/);
  expect(await new Supervised(family).call('listen', [3, 5])).toMatchObject({ errno: 'EACCES' });
});
