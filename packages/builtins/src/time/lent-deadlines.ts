/**
 * Lent deadlines: a structure of the target that holds another time while the kernel reads it.
 *
 * A deadline that a program has from its own clock has to be one of the machine's before the kernel takes it. The kernel
 * reads it from the program's memory and nowhere else, so it is changed there, and changed back once the thread has gone
 * on: a call that waits with the same structure again must find what the program put there. In between, the program's
 * other threads see the lent time; a call of theirs with the same structure is recognised and gets the same.
 * seccomp_unotify(2), SECCOMP_USER_NOTIF_FLAG_CONTINUE
 */
import { action, type HandlerContext, type NotifAction } from '@sandlock/dispatch';

import { HeldMemory } from '../held-memory.js';
import { hasGoneOn, isAsleepInCall, threadRuns, type ThreadRuns } from './thread-runs.js';
import { timespec, timespecNs, TIME_BYTES } from './time-values.js';
import { machinesDeadline, type VirtualClock } from './virtual-clock.js';

/** A thread that was woken gets a processor within this, or else it is looked at from the event loop. */
const PATIENCE = 8;
const PATIENCE_MS = 0.06;
/** A stopped or frozen thread may take any time; the loop looks after it as often as this. */
const LATER_MS = [1, 2, 4, 8, 16, 32, 64, 128, 250];
/** Far enough in the future for a sleep, and what the kernel itself takes for never. include/linux/ktime.h, KTIME_SEC_MAX */
const LATEST_NS = 2n ** 63n - 1n;
/**
 * Each holds a descriptor of ours until the thread has gone on, which is a fraction of a millisecond, or as long as it is
 * stopped. One more waiter than that is told to try again.
 */
const MAX_LOANS = 256;
const pause = new Int32Array(new SharedArrayBuffer(4));

interface Loan {
  readonly memory: HeldMemory;
  readonly address: bigint;
  readonly own: Buffer;
  readonly lent: Buffer;
  /** Calls that may not have read it yet. */
  borrowers: number;
}

export interface Lending {
  /** Of a struct timespec. */
  readonly address: bigint;
  /** One of the clocks of a calendar. */
  readonly clock: number;
  /** The call sets a timer: all zeros are no time, but disarm it. */
  readonly isTimer?: boolean;
}

export class LentDeadlines {
  readonly #clock: VirtualClock;
  readonly #loans = new Map<string, Loan>();
  readonly #held = new Set<HeldMemory>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Loans that are not back. */
  get size(): number {
    return this.#held.size;
  }

  /** Lets a call go on with a deadline of the machine's clock. */
  lend(context: HandlerContext, { address, clock, isTimer = false }: Lending): NotifAction {
    const read = context.readMemory(address, TIME_BYTES);
    if (!read.ok) return read.deny();
    if (read.bytes.length < TIME_BYTES) return action.errno('EFAULT');
    const before = asleep(context.pid);
    if (before === undefined) return action.errno('EINTR'); // it is being killed, or has a signal to take

    const key = `${before.tgid}:${address}`;
    const known = this.#loans.get(key);
    let loan = known !== undefined && known.lent.equals(read.bytes) ? known : undefined;
    if (loan === undefined) {
      const deadline = timespecNs(read.bytes);
      if (deadline === undefined || (isTimer && deadline === 0n)) return action.continue();
      if (this.#held.size >= MAX_LOANS) return action.errno('EAGAIN');
      const memory = held(context);
      if (memory === undefined) return action.errno('EFAULT');
      loan = { memory, address, own: read.bytes, lent: timespec(this.machines(clock, deadline)), borrowers: 0 };
      this.#held.add(memory);
      if (!replace(loan, loan.own, loan.lent)) {
        this.#release(memory);
        return action.errno('EFAULT');
      }
      this.#loans.set(key, loan);
    }
    loan.borrowers++;
    const { pid } = context;
    context.onOutcome(({ delivered }) => {
      if (delivered) this.#awaitBack(key, loan, pid, before);
      else this.#back(key, loan);
    });
    return action.continue();
  }

  close(): void {
    this.#closed = true;
    this.#timers.forEach(clearTimeout);
    this.#held.forEach((memory) => this.#release(memory));
  }

  /** The same moment by the machine's clock, at the earliest a nanosecond after zero: that would disarm a timer. */
  machines(clock: number, deadline: bigint): bigint {
    const real = machinesDeadline(this.#clock, clock, deadline);
    return real < 1n ? 1n : real > LATEST_NS ? LATEST_NS : real;
  }

  #awaitBack(key: string, loan: Loan, tid: number, before: ThreadRuns): void {
    const hasRead = (): boolean => {
      try {
        return hasGoneOn(before, threadRuns(tid));
      } catch {
        return false; // it cannot be looked at now, with no descriptor free for one: the loop looks again
      }
    };
    for (let n = 0; n < PATIENCE; n++) {
      Atomics.wait(pause, 0, 0, PATIENCE_MS); // the woken thread runs on this very processor
      if (hasRead()) return this.#back(key, loan);
    }
    const later = (n: number): void => {
      if (this.#closed) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        if (hasRead()) this.#back(key, loan);
        else later(n + 1);
      }, LATER_MS[Math.min(n, LATER_MS.length - 1)]).unref();
      this.#timers.add(timer);
    };
    later(0);
  }

  #back(key: string, loan: Loan): void {
    if (--loan.borrowers > 0) return;
    if (this.#loans.get(key) === loan) this.#loans.delete(key);
    replace(loan, loan.lent, loan.own); // only what is there as we left it: the program may have gone on
    this.#release(loan.memory);
  }

  #release(memory: HeldMemory): void {
    if (this.#held.delete(memory)) memory.close();
  }
}

/** @returns undefined when the thread does not wait for us any more */
function asleep(tid: number): ThreadRuns | undefined {
  for (let n = 0; n < PATIENCE; n++) {
    if (isAsleepInCall(tid)) return threadRuns(tid);
    Atomics.wait(pause, 0, 0, PATIENCE_MS);
  }
  return undefined;
}

function held(context: HandlerContext): HeldMemory | undefined {
  try {
    return HeldMemory.of(context);
  } catch {
    return undefined;
  }
}

/** @returns whether `from` was there and `to` is now */
function replace({ memory, address }: Loan, from: Buffer, to: Buffer): boolean {
  return memory.read(address, from.length)?.equals(from) === true && memory.write(address, to);
}
