/**
 * clone(2) makes no namespaces.
 *
 * The flags are an unsigned long, all of whose namespace bits lie in the low half; the kernel drops the high
 * half. CLONE_NEWTIME is not among them: its bit belongs to the exit signal here, and unshare(2) is denied whole.
 * include/uapi/linux/sched.h.
 */
import { arg32 } from '@sandlock/bpf';

import type { RulesByCall } from './call-rules.js';

export const NAMESPACE_FLAGS: Readonly<Record<string, number>> = {
  CLONE_NEWNS: 0x00020000,
  CLONE_NEWCGROUP: 0x02000000,
  CLONE_NEWUTS: 0x04000000,
  CLONE_NEWIPC: 0x08000000,
  CLONE_NEWUSER: 0x10000000,
  CLONE_NEWPID: 0x20000000,
  CLONE_NEWNET: 0x40000000,
};

export const cloneRules: RulesByCall = {
  clone: {
    deny: Object.values(NAMESPACE_FLAGS).map((flag) => ({ when: [arg32(0).maskedEq(flag, flag)], errno: 'EPERM' })),
  },
};
