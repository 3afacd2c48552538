/**
 * prctl(2) options that blind the supervisor or loosen the confinement.
 *
 * Setting the parent-death signal to SIGKILL stays possible: it is that already, and a sandbox inside this one
 * sets it for its own program. Clearing or weakening it is what is refused: to the program that the guard has started by the
 * processes family, without a supervisor to everybody. include/uapi/linux/prctl.h.
 */
import { arg32 } from '@sandlock/bpf';
import { WEAKER_PARENT_DEATH } from '@sandlock/builtins';

import type { RulesByCall } from './call-rules.js';

/** A process that is not dumpable hides its memory and descriptors. */
export const PR_SET_DUMPABLE = 4;
/** Undoes what keeps uid 0 from regaining capabilities. */
export const PR_SET_SECUREBITS = 28;
/** Invites a tracer past Yama. */
export const PR_SET_PTRACER = 0x59616d61;

export const prctlRules: RulesByCall = {
  prctl: {
    deny: [
      { when: [arg32(0).eq(PR_SET_DUMPABLE)], errno: 'EPERM' },
      { when: [arg32(0).eq(PR_SET_SECUREBITS)], errno: 'EPERM' },
      { when: [arg32(0).eq(PR_SET_PTRACER)], errno: 'EPERM' },
    ],
    unless: { family: 'processes', deny: [{ when: WEAKER_PARENT_DEATH, errno: 'EPERM' }] },
  },
};
