/**
 * Deadlines: calls that wait for a time of day.
 *
 * A program takes them from its own clock, and the kernel compares them with the machine's. Times that count from now, and
 * deadlines of clocks that are not shifted, are the same for both and are not notified; what a timer has left to
 * run is such a time too.
 * clock_nanosleep(2), timerfd_settime(2), timer_settime(2), futex(2), futex_waitv(2), mq_send(3), mq_receive(3)
 *   ->  continue, with another deadline in the target's memory; EFAULT, EINVAL, EAGAIN; for timerfd_settime(2) also 0
 */
import { arg, arg32, type ArgCondition } from '@sandlock/bpf';
import { action, asInt32, asUint32, type FamilyEntry, type FamilyHandler, type Handler } from '@sandlock/dispatch';
import { CLOCK_REALTIME, TIMER_ABSTIME } from '@sandlock/sys';

import type { LentDeadlines } from './lent-deadlines.js';
import { IT_VALUE, setTimerfd } from './set-timerfd.js';
import { timerClock } from './timer-clocks.js';
import { CALENDAR_CLOCKS } from './virtual-clock.js';

/** include/uapi/linux/futex.h */
const FUTEX_CLOCK_REALTIME = 256;
const FUTEX_COMMAND = 0x7f;
const FUTEX_WAIT_BITSET = 9;
/** Takes its deadline from CLOCK_REALTIME without being told so. */
const FUTEX_LOCK_PI = 6;
const onException = 'denyEperm';

export function deadlines(lent: LentDeadlines): Readonly<Record<string, FamilyEntry>> {
  /** One whose argument `index` points at the deadline. */
  const waits = (index: number, clock: number, ...when: readonly ArgCondition[]): FamilyHandler => ({
    handler: (context) => lent.lend(context, { address: context.args[index]!, clock }), when: [arg(index).ne(0), ...when], onException,
  });

  const setsTimer = (handler: Handler): FamilyHandler => (
    { handler, when: [arg32(1).maskedEq(TIMER_ABSTIME, TIMER_ABSTIME), arg(2).ne(0)], onException });

  const onTimer: Handler = (context) => {
    const clock = timerClock(context.pid, asInt32(context.args[0]!));
    // No timer, or one of another clock: the kernel says what is wrong, if anything is.
    if (clock === undefined || !CALENDAR_CLOCKS.includes(clock)) return action.continue();
    return lent.lend(context, { address: context.args[2]! + BigInt(IT_VALUE), clock, isTimer: true });
  };

  const onFutex: Handler = (context) => {
    // A wait that ends at once could return before its deadline is back. So the commonest such end is made here.
    if ((asUint32(context.args[1]!) & FUTEX_COMMAND) === FUTEX_WAIT_BITSET) {
      const word = context.readMemory(context.args[0]!, 4);
      if (!word.ok) return word.deny();
      if (word.bytes.length === 4 && word.bytes.readUInt32LE() !== asUint32(context.args[2]!)) return action.errno('EAGAIN');
    }
    return lent.lend(context, { address: context.args[3]!, clock: CLOCK_REALTIME });
  };

  return {
    clock_nanosleep: CALENDAR_CLOCKS.map((clock) => waits(2, clock, arg32(0).eq(clock), arg32(1).maskedEq(TIMER_ABSTIME, TIMER_ABSTIME))),
    timerfd_settime: setsTimer((context) => setTimerfd(context, lent)),
    timer_settime: setsTimer(onTimer),
    futex: [
      { handler: onFutex, when: [arg(3).ne(0), arg32(1).maskedEq(FUTEX_CLOCK_REALTIME, FUTEX_CLOCK_REALTIME)], onException },
      waits(3, CLOCK_REALTIME, arg32(1).maskedEq(FUTEX_CLOCK_REALTIME | FUTEX_COMMAND, FUTEX_LOCK_PI)),
    ],
    futex_waitv: waits(3, CLOCK_REALTIME, arg32(4).eq(CLOCK_REALTIME)),
    futex_wait: waits(4, CLOCK_REALTIME, arg32(5).eq(CLOCK_REALTIME)),
    mq_timedsend: waits(4, CLOCK_REALTIME),
    mq_timedreceive: waits(4, CLOCK_REALTIME),
  };
}
