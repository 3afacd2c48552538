/**
 * Kill targets: what a supervisor must never signal.
 *
 * kill(2) takes 0 for our own group and -1 for everything, a target may have joined our group, and a task in
 * another pid namespace is reported as 0. So a group is signalled only when it is known, is not ours, and
 * belongs to the sandbox; there is no falling back to anything broader.
 * kill(2), setpgid(2)
 */
import { errnoName } from '@sandlock/sys';

import type { KillTarget } from './action.js';
import type { Call } from './call.js';
import type { Listener } from './listener.js';

/** Whether a process group is the sandbox's. Without one, only the group of the calling task is. */
export type OwnsGroup = (pgid: number) => boolean;

/** Undefined when the signal was sent; otherwise why it was not. */
export function signalTarget(
  listener: Listener, call: Call, target: KillTarget, signal: number, ownsGroup: OwnsGroup | undefined,
): string | undefined {
  if (target === 'task') {
    if (call.pid <= 1) return 'the task cannot be seen from here';
    if (call.pid === process.pid) return 'the task is the supervisor';
    const rc = listener.signalTask(call.pid, signal, () => listener.idValid(call.id) === 0);
    return rc < 0 ? undefinedWhenGone(rc) : undefined;
  }
  const own = callersGroup(listener, call);
  const group = target === 'group' ? own : target;
  if (group === undefined) return 'the process group of the task is not known';
  if (group <= 1) return `process group ${group} is not one to signal`;
  if (group === listener.getpgid(0)) return 'it is the process group of the supervisor';
  if (ownsGroup === undefined ? group !== own : !ownsGroup(group)) return `process group ${group} is not the sandbox's`;
  const rc = listener.signalGroup(group, signal);
  return rc < 0 ? undefinedWhenGone(rc) : undefined;
}

function callersGroup(listener: Listener, call: Call): number | undefined {
  if (call.pid <= 1) return undefined;
  const pgid = listener.getpgid(call.pid);
  // Only while the call waits is the pid certain to be its task's.
  return pgid > 0 && listener.idValid(call.id) === 0 ? pgid : undefined;
}

/** Nobody is left to signal: then there is nothing to refuse either. */
function undefinedWhenGone(rc: number): string | undefined {
  const name = errnoName(rc);
  return name === 'ESRCH' || name === 'ENOENT' ? undefined : `the kernel says ${name ?? rc}`;
}
