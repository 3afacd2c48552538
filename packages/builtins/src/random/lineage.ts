/**
 * Lineage: which child of which parent a process is.
 *
 * The first process is the root, and every other one is known by the places of its ancestors among their siblings: the
 * second child of the first child. That is the same in two runs whatever else happens at the same time, which pids
 * and times are not.
 *
 * A child gets its place when it is first seen: when it, or its parent, makes a call that we are told of. Those are
 * among others every fork and every exit, so a process has seen to its children before it makes another, and before
 * it leaves them to somebody else. Not kept in order are children that threads of one process make at the same time,
 * and those whose parent was killed before they made their first call.
 */
import { readdirSync } from 'node:fs';

import { childPids, hasChildrenLists, listChildren, listThreads } from '../process-children.js';
import { readWhole, unlessGone } from '../proc-file.js';
import { isLiving, readStat, type ProcessStat } from '../process-stat.js';

interface Entry<T> {
  readonly tgid: number;
  readonly startTime: number;
  readonly value: T;
  /** Threads that have made processes. */
  readonly forkers: Set<number>;
  /** Children, by pid, that had their place at the last look. */
  placed: Set<number>;
  children: number;
}

/** So many entries more than lived at the last look are kept before it is looked who lives. */
const SLACK = 256;
/** The place of a process whose parent is not known: no child has it. */
const STRAY = 2 ** 32;

export class Lineage<T> {
  readonly #makeRoot: () => T;
  readonly #makeChild: (parent: T, place: number) => T;
  readonly #entries = new Map<number, Entry<T>>();
  #root: T | undefined;
  #strays = 0;
  #nextSweep = SLACK;

  /** @param makeChild what a process has, by what its parent has and its place among the children, from 0 */
  constructor(makeRoot: () => T, makeChild: (parent: T, place: number) => T) {
    this.#makeRoot = makeRoot;
    this.#makeChild = makeChild;
  }

  /** How many processes are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** What the process of a waiting thread has; undefined when the process is gone, or hidden from us. */
  of(tid: number): T | undefined {
    return this.#entryOf(tid)?.value;
  }

  /** The thread is about to make a process. @returns false when it is not known which process it is of */
  forks(tid: number): boolean {
    const entry = this.#entryOf(tid);
    if (entry === undefined) return false;
    this.#placeChildren(entry);
    entry.forkers.add(tid);
    return true;
  }

  /** The thread is about to end its process. */
  exits(tid: number): void {
    const entry = this.#entryOf(tid);
    if (entry !== undefined) this.#placeChildren(entry);
  }

  #entryOf(tid: number): Entry<T> | undefined {
    const stat = readStat(tid);
    if (stat === undefined) return undefined;
    const known = this.#known(stat);
    if (known !== undefined) return known;
    const tgid = threadGroup(tid);
    const leader = tgid === tid ? stat : tgid && readStat(tgid);
    return leader ? this.#known(leader) ?? this.#enter(leader) : undefined;
  }

  /** Pid and start time say that it is the same process, or its first thread. */
  #known({ pid, startTime }: ProcessStat): Entry<T> | undefined {
    const entry = this.#entries.get(pid);
    return entry?.startTime === startTime ? entry : undefined;
  }

  #enter(stat: ProcessStat): Entry<T> {
    if (this.#root === undefined) return this.#add(stat, this.#root = this.#makeRoot());
    const parentStat = readStat(stat.ppid);
    const parent = parentStat && this.#known(parentStat);
    // Whoever made it was killed, and it was taken in by a process that has made none.
    if (parent === undefined) return this.#add(stat, this.#makeChild(this.#root, STRAY + this.#strays++));
    this.#placeChildren(parent);
    return this.#known(stat) ?? this.#place(parent, stat);
  }

  #placeChildren(parent: Entry<T>): void {
    if (parent.forkers.size === 0) return;
    const pids = childrenOf(parent.tgid, parent.forkers);
    for (const pid of pids) {
      if (parent.placed.has(pid)) continue;
      const stat = readStat(pid);
      // One with an entry was taken in when its own parent ended, and has got its place there.
      if (stat?.ppid === parent.tgid && this.#known(stat) === undefined) this.#place(parent, stat);
    }
    parent.placed = new Set(pids);
  }

  #place(parent: Entry<T>, stat: ProcessStat): Entry<T> {
    return this.#add(stat, this.#makeChild(parent.value, parent.children++));
  }

  #add({ pid, startTime }: ProcessStat, value: T): Entry<T> {
    const entry: Entry<T> = { tgid: pid, startTime, value, forkers: new Set(), placed: new Set(), children: 0 };
    this.#entries.set(pid, entry);
    if (this.#entries.size > this.#nextSweep) this.#sweep();
    return entry;
  }

  #sweep(): void {
    for (const [pid, { startTime }] of this.#entries) {
      const stat = readStat(pid);
      if (stat === undefined || !isLiving(stat) || stat.startTime !== startTime) this.#entries.delete(pid);
    }
    this.#nextSweep = 2 * this.#entries.size + SLACK;
  }
}

/** Oldest first, as far as can be told; those that ended and were not waited for are among them. */
function childrenOf(tgid: number, forkers: ReadonlySet<number>): number[] {
  if (!hasChildrenLists()) return inOrder(readdirSync('/proc').map(Number).filter(Number.isInteger), tgid);
  // A thread's children are listed in the order in which it made them, and go to another thread when it ends.
  const lists = [...forkers].map((tid) => listChildren(tgid, [tid]));
  if (lists.length === 1 && lists[0] !== undefined) return childPids(lists[0]);
  const all = lists.includes(undefined) ? listThreads(tgid).map((tid) => listChildren(tgid, [tid])) : lists;
  return inOrder(all.flatMap((list) => childPids(list ?? '')), tgid);
}

function inOrder(pids: readonly number[], ppid: number): number[] {
  const stats = pids.flatMap((pid) => readStat(pid) ?? []).filter((stat) => stat.ppid === ppid);
  return stats.sort((a, b) => a.startTime - b.startTime || a.pid - b.pid).map(({ pid }) => pid);
}

/** The process of a thread. proc_pid_status(5) */
function threadGroup(tid: number): number | undefined {
  const status = unlessGone(() => readWhole(`/proc/${tid}/status`, buffer));
  const digits = status && /^Tgid:\s*(\d+)/m.exec(status)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const buffer = Buffer.alloc(4096);
