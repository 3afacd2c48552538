/**
 * A machine that denies pidfd_getfd(2), as a container's default filter does. The filter is on this test's own
 * thread and cannot be taken off again, so this file is alone in its process.
 */
import { allow, compileFilter, errno, nativeArch } from '@sandlock/bpf';
import { seccompSetModeFilter } from '@sandlock/sys';
import { expect, it } from 'vitest';

import { listen } from '../../src/index.js';

const contained = process.env['SANDLOCK_TEST_CONTAINER'] === '1'; // where it is denied to begin with

it.skipIf(process.getuid!() !== 0 || contained)('without pidfd_getfd(2) sockets are made by the supervisor [needs root, no container]', () => {
  expect(Object.keys(listen({ bindPorts: [80] }).handlers)).toEqual(['listen']);
  seccompSetModeFilter(0, compileFilter({
    defaultAction: allow(),
    architectures: [{ arch: nativeArch(process.arch), rules: [{ syscall: 'pidfd_getfd', action: errno('EPERM') }] }],
  }).bytes);
  const { handlers } = listen({ bindPorts: [80] });
  expect(Object.keys(handlers)).toEqual(['socket', 'connect', 'listen']);
  expect(handlers['socket']).toHaveLength(4);
  expect(listen({ bindPorts: [] }).handlers['socket']).toHaveLength(2); // no TCP socket may listen, so none is made
});
