/**
 * No listener of the program's own.
 *
 * A process that could answer its own notifications would need no supervisor. The kernel takes one listener per
 * chain of filters and answers EBUSY to a second one; this says the same before it is asked, also after our
 * listener is gone. Filters without a listener may be added: they only tighten. Without a supervisor a listener
 * is what the sandbox inside needs, so nothing is refused. seccomp(2), SECCOMP_FILTER_FLAG_NEW_LISTENER.
 */
import { arg32 } from '@sandlock/bpf';

import type { RulesByCall } from './call-rules.js';

const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3;

export const ownListenerRules: RulesByCall = {
  seccomp: {
    deny: [{
      when: [
        arg32(0).eq(SECCOMP_SET_MODE_FILTER),
        arg32(1).maskedEq(SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_NEW_LISTENER),
      ],
      errno: 'EBUSY',
    }],
  },
};
