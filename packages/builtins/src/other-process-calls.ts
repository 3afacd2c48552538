/**
 * Limits, priorities and schedulers of other processes.
 *
 * The kernel lets a process set these for every process of its user, the supervisor among them. Threads of the
 * caller's own process are what real programs name here: pthread_setaffinity_np(3) and pthread_setschedparam(3)
 * give a thread id even for the calling thread. Those are allowed and nothing else is, other members of the
 * sandbox neither: between our look and the kernel's, a member can end and its number be given to a process
 * outside. For a thread of the caller the same takes a thread that ends in that moment and a kernel that hands
 * out every other number first, since it goes around before it uses one again. kernel/pid.c, alloc_pid()
 *
 * Calls on 0, the caller itself, are not notified. Groups and users as a whole are the filter's to refuse.
 * prlimit(2), sched_setaffinity(2), sched_setscheduler(2), sched_setattr(2), setpriority(2), ioprio_set(2)
 *   ->  continue, or EPERM
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';
import { action, asInt32, type FamilyEntry, type Handler } from '@sandlock/dispatch';
import { existsSync } from 'node:fs';

const PRIO_PROCESS = 0; // include/uapi/linux/resource.h
const IOPRIO_WHO_PROCESS = 1; // include/uapi/linux/ioprio.h

/** By name: when the call is about one process or thread by its id. Ids and kinds are ints. */
export const OTHER_PROCESS_CALLS: Readonly<Record<string, readonly ArgCondition[]>> = {
  prlimit64: [arg32(0).ne(0)],
  sched_setaffinity: [arg32(0).ne(0)],
  sched_setscheduler: [arg32(0).ne(0)],
  sched_setparam: [arg32(0).ne(0)],
  sched_setattr: [arg32(0).ne(0)],
  setpriority: [arg32(0).eq(PRIO_PROCESS), arg32(1).ne(0)],
  ioprio_set: [arg32(0).eq(IOPRIO_WHO_PROCESS), arg32(1).ne(0)],
};

const onOwnThread: Handler = (context) => {
  const kindFirst = context.name === 'setpriority' || context.name === 'ioprio_set';
  const id = asInt32(context.args[kindFirst ? 1 : 0]!);
  if (id < 0) return action.continue(); // nobody has it: the kernel's own EINVAL or ESRCH
  const own = isThreadOf(context.pid, id);
  // The directory was the caller's only if its call still waits.
  return own && context.isValid() ? action.continue() : action.errno('EPERM');
};

export const otherProcessHandlers: Readonly<Record<string, FamilyEntry>> = Object.fromEntries(
  Object.entries(OTHER_PROCESS_CALLS).map(([name, when]) => [name, { handler: onOwnThread, when, onException: 'denyEperm' }]));

/** Whether two thread ids belong to one process; each is its own. */
function isThreadOf(caller: number, tid: number): boolean {
  return tid === caller || existsSync(`/proc/${caller}/task/${tid}`);
}
