/**
 * prctl(2) options that blind the supervisor or loosen the confinement.
 *
 * Setting the parent-death signal to SIGKILL stays possible: it is that already, and a sandbox inside this one
 * sets it for its own program. Clearing or weakening it is what is refused. include/uapi/linux/prctl.h.
 */
import { arg, arg32 } from '@sandlock/bpf';

import type { RulesByCall } from './call-rules.js';

export const PR_SET_PDEATHSIG = 1;
/** A process that is not dumpable hides its memory and descriptors. */
export const PR_SET_DUMPABLE = 4;
/** Undoes what keeps uid 0 from regaining capabilities. */
export const PR_SET_SECUREBITS = 28;
/** Invites a tracer past Yama. */
export const PR_SET_PTRACER = 0x59616d61;

const SIGKILL = 9;

export const prctlRules: RulesByCall = {
  prctl: {
    deny: [
      // The option is an int; the signal is an unsigned long, and more than 64 is EINVAL: kernel/sys.c.
      { when: [arg32(0).eq(PR_SET_PDEATHSIG), arg(1).ne(SIGKILL)], errno: 'EPERM' },
      { when: [arg32(0).eq(PR_SET_DUMPABLE)], errno: 'EPERM' },
      { when: [arg32(0).eq(PR_SET_SECUREBITS)], errno: 'EPERM' },
      { when: [arg32(0).eq(PR_SET_PTRACER)], errno: 'EPERM' },
    ],
  },
};
