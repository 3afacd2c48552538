/**
 * Setting a timer that is a descriptor: made by the supervisor, on a copy of it.
 *
 * The call returns at once, and a program that moves its deadline on in place and sets the next one must find what it
 * put there. So nothing is lent where it can be avoided: the timer is set through a copy of the descriptor. What that
 * is a copy of is asked of the copy, since the number may stand for another by then. The copy is gone before anything else is
 * done: a timer ends with its last descriptor. Where no copy can be had, the deadline is lent.
 * timerfd_settime(2)  ->  0, EFAULT, EINVAL, or continue
 */
import { action, asInt32, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { close, ITIMERSPEC_BYTES, timerfdSettime } from '@sandlock/sys';

import type { LentDeadlines } from './lent-deadlines.js';
import { timespec, timespecNs, TIME_BYTES } from './time-values.js';
import { timerfdClock } from './timer-clocks.js';
import { CALENDAR_CLOCKS } from './virtual-clock.js';

/** struct itimerspec: the interval comes first. */
export const IT_VALUE = 16;

export function setTimerfd(context: HandlerContext, lent: LentDeadlines): NotifAction {
  const { args, pid } = context;
  const number = asInt32(args[0]!);
  const clock = timerfdClock(pid, number);
  // No timer, or one of another clock: the kernel says what is wrong, if anything is.
  if (clock === undefined || !CALENDAR_CLOCKS.includes(clock)) return action.continue();
  const read = context.readMemory(args[2]!, ITIMERSPEC_BYTES);
  if (!read.ok) return read.deny();
  if (read.bytes.length < ITIMERSPEC_BYTES) return action.errno('EFAULT');
  const deadline = timespecNs(read.bytes.subarray(IT_VALUE, IT_VALUE + TIME_BYTES));
  if (deadline === undefined) return action.errno('EINVAL');
  const copy = context.dupFd(number);
  if (!copy.ok) return copy.reason === 'badFd' ? copy.deny() : lent.lend(context, { address: args[2]! + BigInt(IT_VALUE), clock, isTimer: true });
  const old = Buffer.alloc(ITIMERSPEC_BYTES);
  let result: number | undefined;
  try {
    const copied = timerfdClock(process.pid, copy.fd);
    if (copied !== undefined && CALENDAR_CLOCKS.includes(copied)) {
      if (deadline !== 0n) timespec(lent.machines(copied, deadline)).copy(read.bytes, IT_VALUE);
      result = timerfdSettime(copy.fd, asInt32(args[1]!), read.bytes, old);
    }
  } finally {
    close(copy.fd);
  }
  if (result === undefined) return action.errno('EINVAL');
  if (result < 0) return action.errno(-result);
  if (args[3] === 0n) return action.returnValue(0);
  const written = context.writeMemory(args[3]!, old);
  return written.ok ? action.returnValue(0) : written.deny();
}
