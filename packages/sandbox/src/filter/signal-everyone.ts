/**
 * kill(-1, ...) where Landlock does not scope signals.
 *
 * With the scope active, signals stay inside and the filter has nothing to add. Without it (degraded or disabled)
 * a program may signal every process of its user that it can name; those who allowed that are told so. What they
 * hardly meant is the one call that signals all of them at once, so that one is refused. The id is an int.
 */
import { arg32 } from '@sandlock/bpf';

import type { RulesByCall } from './call-rules.js';

const EVERYONE = 0xffffffff; // -1

export const signalEveryoneRules: RulesByCall = {
  kill: { deny: [{ when: [arg32(0).eq(EVERYONE)], errno: 'EPERM' }] },
};
