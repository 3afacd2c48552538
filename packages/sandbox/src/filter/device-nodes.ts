/**
 * No device nodes, not even by root.
 *
 * A node made in a writable directory would be a way to any device, whatever Landlock says of /dev. The mode is
 * 16 bits, so the low half of the register is all there is. mknod(2); include/uapi/linux/stat.h.
 */
import { arg32 } from '@sandlock/bpf';

import type { Denial, RulesByCall } from './call-rules.js';

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

const devices = (modeIndex: number): Denial[] => [S_IFCHR, S_IFBLK].map((type) =>
  ({ when: [arg32(modeIndex).maskedEq(S_IFMT, type)], errno: 'EPERM' }));

export const deviceNodeRules: RulesByCall = {
  mknod: { deny: devices(1) },
  mknodat: { deny: devices(2) },
};
