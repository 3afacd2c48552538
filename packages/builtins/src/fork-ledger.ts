/**
 * Forks that were allowed and whose child has not been seen yet.
 *
 * Between the answer and the child's appearance in /proc there is a moment in which a process exists on nobody's
 * list. Every allowed fork therefore stands for a process of its own until it is accounted for, and that takes
 * proof: its thread must be seen to have left the call, and then a complete walk of the tree must have found
 * the child, or none. Which new member is whose child is never guessed, since a program can have another process
 * adopt it (CLONE_PARENT, orphans). All that is used is that each fork makes one process at the most: of the
 * members a walk finds, no more can belong to settled forks than there are, so the rest belongs to open ones.
 */
import { readThreadStat } from './process-stat.js';

/** In these states a thread may still be on its way through the call. */
const UNDECIDED = new Set(['R', 'D']);
/** Clock ticks that a thread cannot spend in user mode while it is inside a call; one may be rounding. */
const USER_TICKS = 3;

export interface Fork {
  readonly tid: number;
  /** The answer has reached the thread. Until then it waits, and its state says nothing. */
  delivered: boolean;
  /** Its time in user mode when it was first looked at. */
  utime: number | undefined;
}

export class ForkLedger {
  /** May still be inside the call. */
  readonly #open = new Set<Fork>();
  /** Have left the call since the last complete walk. */
  #settled: number;
  /** Members found since then. */
  #found = 0;
  /** How many of the open ones have surely had their child found: a lower bound. */
  #born = 0;

  /** @param settled processes that exist already and will be found by a walk */
  constructor(settled: number) {
    this.#settled = settled;
  }

  /** Processes that may exist beside the known members. */
  get unseen(): number {
    return Math.max(0, this.#settled + this.#open.size - this.#born - this.#found);
  }

  /** Whether time alone may settle something. */
  get isWaiting(): boolean {
    for (const fork of this.#open) if (fork.delivered) return true;
    return false;
  }

  add(tid: number): Fork {
    const fork: Fork = { tid, delivered: false, utime: undefined };
    this.#open.add(fork);
    return fork;
  }

  /** The call did not happen. */
  remove(fork: Fork): void {
    if (this.#open.delete(fork)) this.#limitBorn();
  }

  /** This thread makes a new call, so what it was in before is over. */
  calls(tid: number): void {
    for (const fork of this.#open) if (fork.tid === tid && fork.delivered) this.#settle(fork);
  }

  /** Looks at every thread that may still be inside the call. */
  settle(): void {
    for (const fork of this.#open) if (fork.delivered && hasLeft(fork)) this.#settle(fork);
  }

  walked(found: number, complete: boolean): void {
    this.#found += found;
    if (!complete) return;
    this.#born += Math.max(0, this.#found - this.#settled);
    this.#settled = 0;
    this.#found = 0;
    this.#limitBorn();
  }

  #settle(fork: Fork): void {
    this.#open.delete(fork);
    this.#settled++;
    this.#born = Math.max(0, this.#born - 1); // it may have been one of them
  }

  #limitBorn(): void {
    let delivered = 0;
    for (const fork of this.#open) if (fork.delivered) delivered++;
    this.#born = Math.min(this.#born, delivered);
  }
}

/**
 * A thread inside fork(2) runs, or sleeps where signals do not reach; the child is in /proc before anything
 * else can happen to it. One that was interrupted begins the call anew, and so is notified again.
 * kernel/fork.c, copy_process()
 */
function hasLeft(fork: Fork): boolean {
  const stat = readThreadStat(fork.tid);
  if (stat === undefined || !UNDECIDED.has(stat.state)) return true;
  fork.utime ??= stat.utime;
  return stat.utime >= fork.utime + USER_TICKS;
}
