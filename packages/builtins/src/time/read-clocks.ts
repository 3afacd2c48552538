/**
 * Reading the time by system call: programs that use no vDSO, and what a vDSO leaves to the kernel.
 *
 * The vDSO is patched to change what its own code yields. Where that code asks the kernel, because the machine's
 * time source cannot be read by programs, the answer has to be the machine's own, or an offset would be added twice: such
 * a call is known by where it was made. The one clock that the stubs leave alone is answered here in either case.
 * clock_gettime(2)  ->  0, or EFAULT, or continue
 * gettimeofday(2)  ->  0, or EFAULT, or continue
 * time(2)  ->  seconds, or EFAULT
 */
import { arg, arg32 } from '@sandlock/bpf';
import { action, asInt32, type FamilyEntry, type Handler, type HandlerContext } from '@sandlock/dispatch';
import { CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_REALTIME_COARSE, SyscallError } from '@sandlock/sys';

import { timespec, timeval, wholeSeconds } from './time-values.js';
import { CALENDAR_CLOCKS, shownTime, type VirtualClock } from './virtual-clock.js';

/** What cannot be answered must not be the machine's time. */
const onException = 'denyEperm';

/** @param isVdsoCall whether the thread made this call in code of its vDSO */
export function readClocks(
  clock: VirtualClock, isVdsoCall: (context: HandlerContext) => boolean,
): Readonly<Record<string, FamilyEntry>> {
  const onClockGettime: Handler = (context) => {
    const id = asInt32(context.args[0]!);
    if (id !== CLOCK_REALTIME_ALARM && isVdsoCall(context)) return action.continue();
    try {
      const written = context.writeMemory(context.args[1]!, timespec(shownTime(clock, id)));
      return written.ok ? action.returnValue(0) : written.deny();
    } catch (error) {
      // The machine may have no clock of this kind: CLOCK_REALTIME_ALARM needs one that can wake it.
      if (error instanceof SyscallError && error.code === 'EINVAL') return action.errno('EINVAL');
      throw error;
    }
  };

  const onGettimeofday: Handler = (context) => {
    if (isVdsoCall(context)) return action.continue();
    const written = context.writeMemory(context.args[0]!, timeval(shownTime(clock, CLOCK_REALTIME)));
    if (!written.ok) return written.deny();
    const zone = context.args[1]!;
    if (zone === 0n) return action.returnValue(0);
    // What the kernel itself knows of zones is what settimeofday(2) has told it, and nobody tells it anything but 0.
    const cleared = context.writeMemory(zone, Buffer.alloc(8));
    return cleared.ok ? action.returnValue(0) : cleared.deny();
  };

  const onTime: Handler = (context) => {
    const seconds = wholeSeconds(shownTime(clock, CLOCK_REALTIME_COARSE));
    const to = context.args[0]!;
    if (to !== 0n) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(seconds);
      const written = context.writeMemory(to, bytes);
      if (!written.ok) return written.deny();
    }
    return action.returnValue(seconds, { allowErrnoRange: true });
  };

  return {
    clock_gettime: CALENDAR_CLOCKS.map((id) => ({ handler: onClockGettime, when: arg32(0).eq(id), onException })),
    gettimeofday: { handler: onGettimeofday, when: arg(0).ne(0), onException },
    time: { handler: onTime, onException },
  };
}
