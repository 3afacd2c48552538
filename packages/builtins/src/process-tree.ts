/**
 * Who the members of a sandbox are: the living descendants of its guard.
 *
 * The guard is a subreaper, so whoever is orphaned becomes its child, and who was a member once is one until
 * it ends. So members are remembered, by pid and start time, and never lost by a walk that came at a bad
 * moment; what a walk is for is finding new ones, and it says whether it can have missed any that were there
 * when it began. The guard has one thread, and is not a member. One tree serves all families of a run.
 * prctl(2), PR_SET_CHILD_SUBREAPER; proc(5)
 */
import { readdirSync } from 'node:fs';

import { childPids, hasChildrenLists, listChildren, listThreads } from './process-children.js';
import { isGone, isLiving, readStat, type ProcessStat } from './process-stat.js';

export interface Discovery {
  /** Members that this walk found and that were not known before. */
  readonly found: number;
  /** Every member that existed when the walk began, and still does, is known now. */
  readonly complete: boolean;
}

/** A walk that met a change is begun anew this often; then it says that it is not complete. */
const MAX_WALKS = 4;
const MAX_CROWDED_WALKS = 2;
/** Beyond this, of one process or of all, one look at every process of the machine is cheaper than a look at every thread. */
const MAX_THREADS = 64;
const MAX_ALL_THREADS = 512;
/**
 * Ended processes that nobody waits for cost a look each, and a program can make any number of them. A walk
 * that meets more gives up, so that the supervisor's thread is never busy with one for long.
 */
const MAX_ZOMBIES = 1024;
/** With more than this about, a walk is begun anew once, and is not to be asked for again and again. */
const MANY_ZOMBIES = 64;

type Walk = 'complete' | 'disturbed' | 'crowded';

export class ProcessTree {
  readonly #guardPid: () => number;
  /** Start time by pid. */
  readonly #known = new Map<number, number>();
  /** Have ended and are not waited for, as the last walk found. */
  readonly #ended = new Set<number>();
  readonly #useLists: boolean;
  #everFound = 0;

  /** @param useLists ask /proc for the children of each thread; default: where the kernel has that */
  constructor(guardPid: () => number, useLists = hasChildrenLists()) {
    this.#guardPid = guardPid;
    this.#useLists = useLists;
  }

  /** Whose descendants they are. */
  get guardPid(): number {
    return this.#guardPid();
  }

  /** Members that are known and have not been found ended yet. */
  get size(): number {
    return this.#known.size;
  }

  /** Members that any walk has ever found. Who counts them counts by this: others walk, too. */
  get everFound(): number {
    return this.#everFound;
  }

  /** Whether a look costs much, for all those who have ended and are not waited for. */
  get isCrowded(): boolean {
    return this.#ended.size > MANY_ZOMBIES;
  }

  /** Forgets the members that have ended. */
  refresh(): void {
    for (const [pid, startTime] of this.#known) {
      if (hasEnded(pid, startTime, readStat(pid))) this.#known.delete(pid);
    }
  }

  /** Looks for members that are not known yet, and forgets those that it finds ended. */
  discover(): Discovery {
    const before = this.#everFound;
    let walk: Walk = 'disturbed';
    for (let n = 0; n < (this.isCrowded ? MAX_CROWDED_WALKS : MAX_WALKS) && walk === 'disturbed'; n++) {
      walk = this.#useLists ? this.#walkLists() : this.#scanAll();
    }
    return { found: this.#everFound - before, complete: walk === 'complete' };
  }

  /** How many live, as far as one look tells. */
  count(): number {
    this.discover();
    return this.size;
  }

  /** The pids of the living members. Complete unless processes come and go too fast to tell. */
  living(): number[] {
    this.discover();
    this.refresh();
    return [...this.#known.keys()];
  }

  /** Whether this process is a living member. */
  has(pid: number): boolean {
    if (!this.#isKnown(pid)) this.discover();
    return this.#isKnown(pid);
  }

  /**
   * Whether a process, or a thread by its id, is of this sandbox, whatever its state: one that was made a moment ago is,
   * and so is one that has ended and is not waited for yet. Asked of it and those above it, up to one that is known.
   */
  isMember(id: number): boolean {
    const guard = this.#guardPid();
    for (let walk = 0; walk < MAX_WALKS && id !== guard; walk++) {
      let stat = readStat(id);
      if (stat === undefined) return false;
      while (stat !== undefined && !this.#isOneKnown(stat)) {
        if (stat.ppid === guard) return true; // a thread has the parent of its process
        if (stat.ppid <= 1) return false;
        stat = readStat(stat.ppid);
      }
      if (stat !== undefined) return true;
      // One on the way ended, and its children have moved up.
    }
    return false;
  }

  /** The processes that are members, those that have ended and are not waited for included; ascending. */
  pids(): number[] {
    const { complete } = this.discover();
    const pids = new Set([...this.#known.keys(), ...this.#ended]);
    if (!complete) for (const pid of this.#useLists ? this.#listed() : this.#zombies()) pids.add(pid);
    return [...pids].sort((a, b) => a - b);
  }

  /**
   * Everybody below the guard, by one look at the lists, where walks have found too much going on. Whoever moves up the
   * tree meanwhile is living, and known by that.
   */
  #listed(): ReadonlySet<number> {
    const guard = this.#guardPid();
    const seen = new Set([guard]);
    for (const pid of seen) { // goes on over what is added on the way
      const list = listChildren(pid, pid === guard ? [pid] : listThreads(pid));
      for (const child of list === undefined ? [] : childPids(list)) seen.add(child);
    }
    seen.delete(guard);
    return seen;
  }

  #zombies(): number[] {
    return readdirSync('/proc').map(Number).filter((pid) => (
      Number.isInteger(pid) && readStat(pid)?.state === 'Z' && this.isMember(pid)));
  }

  /** By number and start: so it is one that was found to be a member, alive or not. */
  #isOneKnown({ pid, startTime }: ProcessStat): boolean {
    return this.#known.get(pid) === startTime;
  }

  #isKnown(pid: number): boolean {
    const startTime = this.#known.get(pid);
    if (startTime === undefined) return false;
    return !hasEnded(pid, startTime, readStat(pid));
  }

  #walkLists(): Walk {
    const guard = this.#guardPid();
    const seen = new Set<number>([guard, ...this.#known.keys()]);
    const lists: { pid: number; tids: readonly number[]; list: string }[] = [];
    let threads = 0;
    this.#ended.clear();
    for (const pid of seen) { // goes on over what is added on the way
      let tids: readonly number[] = [pid];
      if (pid !== guard) {
        const stat = readStat(pid);
        const startTime = this.#known.get(pid);
        if (hasEnded(pid, startTime, stat)) {
          this.#known.delete(pid);
          // Another process has the number now, and whose it is was not asked.
          if (stat !== undefined && isLiving(stat)) return 'disturbed';
          if (stat !== undefined && (startTime ?? stat.startTime) === stat.startTime) this.#ended.add(pid);
          if (this.#ended.size > MAX_ZOMBIES) return 'crowded';
          continue; // its children have moved up the tree, where the second reading shows them
        }
        if (stat === undefined) return 'disturbed'; // hidden from us
        if (startTime === undefined && !seen.has(stat.ppid)) return 'disturbed';
        if (stat.threads > MAX_THREADS || (threads += stat.threads) > MAX_ALL_THREADS) return this.#scanAll();
        this.#add(stat);
        if (stat.threads > 1) tids = listThreads(pid);
      }
      const list = listChildren(pid, tids);
      if (list === undefined) return 'disturbed';
      lists.push({ pid, tids, list });
      for (const child of childPids(list)) seen.add(child);
    }
    const same = lists.every(({ pid, tids, list }) => (
      listChildren(pid, tids) === list && (tids.length === 1 || sameThreads(tids, listThreads(pid)))));
    return same ? 'complete' : 'disturbed';
  }

  /** Every process of the machine, by the parent it names. */
  #scanAll(): Walk {
    const guard = this.#guardPid();
    const stats = new Map<number, ProcessStat>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
      if (stat !== undefined) stats.set(pid, stat);
    }
    if (!stats.has(guard)) return 'disturbed';
    this.#ended.clear();
    for (const [pid, startTime] of this.#known) if (hasEnded(pid, startTime, stats.get(pid))) this.#known.delete(pid);
    const verdicts = new Map<number, boolean | undefined>([[guard, true], [0, false]]);
    let disturbed = false;
    for (const [pid, stat] of stats) {
      const member = descends(pid, stats, verdicts);
      if (member === undefined) disturbed = true;
      else if (member && pid !== guard) {
        if (isLiving(stat)) this.#add(stat);
        else this.#ended.add(pid);
      }
    }
    return disturbed ? 'disturbed' : 'complete';
  }

  #add({ pid, startTime }: ProcessStat): void {
    if (this.#known.get(pid) === startTime) return;
    this.#known.set(pid, startTime);
    this.#everFound++;
  }
}

/** Whether the process that had this number at that time has ended, judged by what has the number now. */
function hasEnded(pid: number, startTime: number | undefined, stat: ProcessStat | undefined): boolean {
  if (stat === undefined) return isGone(pid);
  return !isLiving(stat) || (startTime !== undefined && stat.startTime !== startTime);
}

/** undefined: an ancestor ended between the looks, and whose child this is now has to be asked again. */
function descends(
  pid: number, stats: ReadonlyMap<number, ProcessStat>, verdicts: Map<number, boolean | undefined>,
): boolean | undefined {
  const path: number[] = [];
  let at = pid;
  while (!verdicts.has(at) && stats.has(at) && path.length <= stats.size) {
    path.push(at);
    at = stats.get(at)!.ppid;
  }
  let verdict = verdicts.get(at);
  // A parent that is not there: whoever ends leaves no child behind, so it is hidden from us, and no member; or
  // it was there when its child was looked at, and the child has another now.
  const last = path.at(-1);
  if (!verdicts.has(at) && last !== undefined && readStat(last)?.ppid === at) verdict = false;
  for (const each of path) verdicts.set(each, verdict);
  return verdict;
}

function sameThreads(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((tid, i) => tid === b[i]);
}
