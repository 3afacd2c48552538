/**
 * The affinity family: on which processors a sandbox runs, and how many it sees.
 *
 * A mask is cut down to the granted processors and set by the supervisor, from its own copy: the kernel never looks
 * at what the target's other threads may have put in its place. Threads of every member can be named, nobody else.
 * The number of processors is a view: a mask that was never set shows the first ones, whatever the machine has; one
 * that was set shows what is left of it. The C library asks the vDSO for the current processor, which no call shows.
 * sched_setaffinity(2)  ->  0, EINVAL when nothing granted is left, EFAULT, ESRCH for processes outside
 * sched_getaffinity(2)  ->  the size of the kernel's mask, EINVAL, EFAULT, ESRCH
 * getcpu(2)  ->  0, EFAULT
 */
import { action, asInt32, asUint32, type Family, type Handler, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { schedGetaffinity, schedSetaffinity, SyscallError } from '@sandlock/sys';
import { readFileSync } from 'node:fs';

import type { Members } from '../views/members.js';
import { firstCpus, lowestCpu, maskFromBytes, maskToBytes, wordBytes, type CpuMask } from './cpu-mask.js';
import { VisibleCpus, type CpuChoice } from './visible-cpus.js';

export interface AffinityOptions extends CpuChoice {
  readonly members: Members;
}

/** No kernel has room for more. CONFIG_NR_CPUS */
const MAX_CPUS = 8192;
const WORD_BYTES = 8;
/** What cannot be decided is refused. */
const onException = 'denyEperm';

/** @throws {RangeError} no processor, or more than a kernel can have */
export function affinity({ cpuCores, numCpus, members }: AffinityOptions): Family {
  if (cpuCores?.length === 0 || cpuCores?.some((core) => !isCount(core + 1))) throw new RangeError(`No processors: ${String(cpuCores)}.`);
  if (numCpus !== undefined && !isCount(numCpus)) throw new RangeError(`numCpus is a whole number from 1 to ${MAX_CPUS}, not ${String(numCpus)}.`);
  const own = schedGetaffinity(0);
  const cpus = new VisibleCpus({ cpuCores, numCpus });
  const { granted, visible } = cpus;
  const sizeBytes = Math.max(own.length, wordBytes(visible));
  const leastBytes = Math.max(wordBytes(possibleCpus() ?? maskFromBytes(Buffer.alloc(own.length, 0xff))), wordBytes(visible));

  const set: Handler = (context) => {
    const length = Math.min(asUint32(context.args[1]!), own.length);
    const bytes = context.readMemory(context.args[2]!, length);
    if (!bytes.ok) return bytes.deny();
    if (bytes.bytes.length < length) return action.errno('EFAULT');
    const thread = threadOf(context, members);
    if (thread === undefined) return action.errno('ESRCH');
    const wanted = maskFromBytes(bytes.bytes) & visible & granted;
    if (wanted === 0n) return action.errno('EINVAL'); // sched_setaffinity(2), ERRORS
    // The number was the member's only if the call still waits, or whoever made it may be gone, too.
    if (!context.isValid()) return action.errno('ESRCH');
    return orErrno(() => {
      schedSetaffinity(thread, maskToBytes(wanted, own.length));
      return action.returnValue(0);
    });
  };

  const get: Handler = (context) => {
    // The kernel's order. kernel/sched/syscalls.c, SYSCALL_DEFINE3(sched_getaffinity, ...)
    const length = asUint32(context.args[1]!);
    if (length < leastBytes || length % WORD_BYTES !== 0) return action.errno('EINVAL');
    const thread = threadOf(context, members);
    if (thread === undefined) return action.errno('ESRCH');
    return orErrno(() => {
      const given = Math.min(length, sizeBytes);
      const written = context.writeMemory(context.args[2]!, maskToBytes(cpus.of(thread), given));
      return written.ok ? action.returnValue(given) : written.deny();
    });
  };

  const current: Handler = (context) => orErrno(() => {
    const cpu = Buffer.alloc(4);
    cpu.writeUInt32LE(lowestCpu(cpus.of(context.pid)));
    for (const [address, value] of [[context.args[0]!, cpu], [context.args[1]!, Buffer.alloc(4)]] as const) {
      if (address === 0n) continue;
      const written = context.writeMemory(address, value);
      if (!written.ok) return written.deny();
    }
    return action.returnValue(0);
  });

  return {
    name: 'affinity',
    handlers: {
      sched_setaffinity: { handler: set, onException },
      ...(numCpus === undefined ? {} : { sched_getaffinity: { handler: get, onException }, getcpu: { handler: current, onException } }),
    },
  };
}

/** Those that may ever come to be: the kernel takes any mask with room for them. undefined: it does not say. Documentation/admin-guide/cputopology.rst */
function possibleCpus(): CpuMask | undefined {
  try {
    const last = /(\d+)\n$/.exec(readFileSync('/sys/devices/system/cpu/possible', 'latin1'))?.[1];
    return last === undefined ? undefined : firstCpus(Number(last) + 1);
  } catch {
    return undefined;
  }
}

/** The thread that the first argument names; 0 is the caller. undefined: nobody in the sandbox. */
function threadOf(context: HandlerContext, members: Members): number | undefined {
  const id = asInt32(context.args[0]!);
  if (id === 0) return context.pid;
  return id > 0 && members.isMember(id) ? id : undefined;
}

function orErrno(answer: () => NotifAction): NotifAction {
  try {
    return answer();
  } catch (error) {
    if (error instanceof SyscallError) return action.errno(-error.errno);
    throw error;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= MAX_CPUS;
}
