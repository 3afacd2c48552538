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
import { processVmReadv } from '@sandlock/sys';
import { closeSync, openSync, writeSync } from 'node:fs';

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
const pause = new Int32Array(new SharedArrayBuffer(4));

interface Loan {
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
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Loans that are not back. */
  get size(): number {
    return this.#loans.size;
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
      loan = { address, own: read.bytes, lent: timespec(this.machines(clock, deadline)), borrowers: 0 };
      if (!write(before.tgid, address, loan.lent)) return action.errno('EFAULT');
      this.#loans.set(key, loan);
    }
    loan.borrowers++;
    const { pid } = context;
    context.onOutcome(({ delivered }) => {
      if (delivered) this.#awaitBack(key, loan, pid, before);
      else this.#back(key, loan, before.tgid);
    });
    return action.continue();
  }

  close(): void {
    this.#closed = true;
    this.#timers.forEach(clearTimeout);
  }

  /** The same moment by the machine's clock, at the earliest a nanosecond after zero: that would disarm a timer. */
  machines(clock: number, deadline: bigint): bigint {
    const real = machinesDeadline(this.#clock, clock, deadline);
    return real < 1n ? 1n : real > LATEST_NS ? LATEST_NS : real;
  }

  #awaitBack(key: string, loan: Loan, tid: number, before: ThreadRuns): void {
    const hasRead = (): boolean => hasGoneOn(before, threadRuns(tid));
    for (let n = 0; n < PATIENCE; n++) {
      Atomics.wait(pause, 0, 0, PATIENCE_MS); // the woken thread runs on this very processor
      if (hasRead()) return this.#back(key, loan, before.tgid);
    }
    const later = (n: number): void => {
      if (this.#closed) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        if (hasRead()) this.#back(key, loan, before.tgid);
        else later(n + 1);
      }, LATER_MS[Math.min(n, LATER_MS.length - 1)]).unref();
      this.#timers.add(timer);
    };
    later(0);
  }

  #back(key: string, loan: Loan, tgid: number): void {
    if (--loan.borrowers > 0) return;
    if (this.#loans.get(key) === loan) this.#loans.delete(key);
    restore(tgid, loan);
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

/** Through the file, which pays no regard to protection: a deadline may be a constant. @returns whether it is written */
function write(pid: number, address: bigint, bytes: Buffer): boolean {
  if (address >= 2n ** 53n) return false; // no address of a user's
  try {
    const fd = openSync(`/proc/${pid}/mem`, 'r+');
    try {
      return writeSync(fd, bytes, 0, bytes.length, Number(address)) === bytes.length;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** Only what is there as we left it: the program may have gone on, or another have its number. */
function restore(pid: number, { address, own, lent }: Loan): void {
  const now = Buffer.alloc(TIME_BYTES);
  if (processVmReadv(pid, address, now, 0, TIME_BYTES) === TIME_BYTES && now.equals(lent)) write(pid, address, own);
}
