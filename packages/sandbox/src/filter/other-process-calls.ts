/**
 * Limits, priorities and schedulers of other processes.
 *
 * The kernel lets a process set these for every process of its user, the supervisor among them, and Landlock
 * has no scope for it. On itself (0) a process may. Groups and users as a whole are refused. On another id the
 * processes family answers, which knows who is in the sandbox; without it the filter refuses. Note that
 * pthread_setaffinity_np(3) and pthread_setschedparam(3) name the thread, also when it is the calling one.
 * Ids and kinds are ints. prlimit(2), setpriority(2), ioprio_set(2), sched_setaffinity(2), sched_setattr(2).
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';

import type { Denial, RulesByCall } from './call-rules.js';

const PRIO_PROCESS = 0;
const PRIO_PGRP = 1;
const PRIO_USER = 2;
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_WHO_PGRP = 2;
const IOPRIO_WHO_USER = 3;

/** When each call is about one process or thread by its id. The same conditions are a registration's `when`. */
export const OTHER_PROCESS_CALLS: Readonly<Record<string, readonly ArgCondition[]>> = {
  prlimit64: [arg32(0).ne(0)],
  sched_setaffinity: [arg32(0).ne(0)],
  sched_setscheduler: [arg32(0).ne(0)],
  sched_setparam: [arg32(0).ne(0)],
  sched_setattr: [arg32(0).ne(0)],
  setpriority: [arg32(0).eq(PRIO_PROCESS), arg32(1).ne(0)],
  ioprio_set: [arg32(0).eq(IOPRIO_WHO_PROCESS), arg32(1).ne(0)],
};

/** When a call is about a whole group or user. */
const COLLECTIVE_CALLS: Readonly<Record<string, readonly Denial[]>> = {
  setpriority: [PRIO_PGRP, PRIO_USER].map((kind) => ({ when: [arg32(0).eq(kind)], errno: 'EPERM' })),
  ioprio_set: [IOPRIO_WHO_PGRP, IOPRIO_WHO_USER].map((kind) => ({ when: [arg32(0).eq(kind)], errno: 'EPERM' })),
};

export const otherProcessRules: RulesByCall = Object.fromEntries(Object.entries(OTHER_PROCESS_CALLS).map(([name, when]) => [name, {
  deny: COLLECTIVE_CALLS[name] ?? [],
  unless: { family: 'processes', deny: [{ when, errno: 'EPERM' }] },
}]));
