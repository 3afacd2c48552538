/**
 * Limits, priorities and schedulers of other processes.
 *
 * The kernel lets a process set these for every process of its user, the supervisor among them, and Landlock
 * has no scope for it. On itself (0) a process may. Groups and users as a whole are refused. On another id the
 * processes family answers, under the very conditions it registers with; without it the filter refuses. Note
 * that pthread_setaffinity_np(3) and pthread_setschedparam(3) name the thread, also when it is the calling one.
 * Kinds are ints. setpriority(2), ioprio_set(2).
 */
import { arg32 } from '@sandlock/bpf';
import { OTHER_PROCESS_CALLS } from '@sandlock/builtins';

import type { Denial, RulesByCall } from './call-rules.js';

const PRIO_PGRP = 1;
const PRIO_USER = 2;
const IOPRIO_WHO_PGRP = 2;
const IOPRIO_WHO_USER = 3;

const ofKind = (kind: number): Denial => ({ when: [arg32(0).eq(kind)], errno: 'EPERM' });

/** When a call is about a whole group or user. */
const COLLECTIVE_CALLS: Readonly<Record<string, readonly Denial[]>> = {
  setpriority: [PRIO_PGRP, PRIO_USER].map(ofKind),
  ioprio_set: [IOPRIO_WHO_PGRP, IOPRIO_WHO_USER].map(ofKind),
};

export const otherProcessRules: RulesByCall = Object.fromEntries(Object.entries(OTHER_PROCESS_CALLS).map(([name, when]) => [name, {
  deny: COLLECTIVE_CALLS[name] ?? [],
  unless: { family: 'processes', deny: [{ when, errno: 'EPERM' }] },
}]));
