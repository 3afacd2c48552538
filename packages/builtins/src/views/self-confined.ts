/**
 * Processes that have confined themselves further, by a Landlock domain of their own.
 *
 * The kernel keeps such a process from the memory and the descriptors of those outside its domain, and from files that the
 * domain does not grant. What the supervisor opens for it passes all that by, since a supervisor is in no domain. So it is
 * marked before its call takes effect, and served less. The mark is a limit that the kernel does not count any more: it
 * is lowered at each call, handed on to every child whoever its parents are later, and not for programs to set. So marks
 * are nested as the domains are.
 * landlock_restrict_self(2)                     ->  continue, or EPERM
 * setrlimit(2), prlimit(2), for RLIMIT_LOCKS    ->  EPERM
 * getrlimit(2), RLIMIT_LOCKS; security/landlock/task.c, hook_ptrace_access_check()
 */
import { arg, arg32 } from '@sandlock/bpf';
import { action, type FamilyEntry, type Handler } from '@sandlock/dispatch';
import { prlimit, RLIMIT_LOCKS, SyscallError } from '@sandlock/sys';

import type { Members } from './members.js';
import type { Asker } from './view.js';

const onException = 'denyEperm';
/** Marks are looked through for those that nobody has any more when there are this many more than at the last time. */
const MANY_MARKS = 256;

export class SelfConfined {
  readonly handlers: Readonly<Record<string, FamilyEntry>>;
  readonly #members: Members;
  readonly #unmarked = prlimit(0, RLIMIT_LOCKS).hard;
  /** By mark, the one that the process had before. */
  readonly #above = new Map<bigint, bigint>();
  #lowest = this.#unmarked;
  #many = MANY_MARKS;

  constructor(members: Members) {
    this.#members = members;
    const confine: Handler = (context) => {
      if (!context.isValid()) return action.errno('EPERM');
      this.#mark(context.pid);
      return action.continue();
    };
    const refuse: Handler = () => action.errno('EPERM');
    this.handlers = {
      landlock_restrict_self: { handler: confine, onException },
      setrlimit: { handler: refuse, when: arg32(0).eq(RLIMIT_LOCKS) },
      prlimit64: { handler: refuse, when: [arg32(1).eq(RLIMIT_LOCKS), arg(2).ne(0)] },
    };
  }

  /** Whether the process of a thread has confined itself, or was made by one that had. */
  has(pid: number): boolean {
    return this.#markOf(pid) !== this.#unmarked;
  }

  /** Whether the domains of a process, as far as it has some of its own, let it look at another. */
  reaches(asker: Asker, subject: Asker): boolean {
    if (this.#lowest === this.#unmarked || asker.tgid === subject.tgid) return true;
    const mark = this.#markOf(asker.pid);
    if (mark === this.#unmarked) return true;
    let at = mark === undefined ? undefined : this.#markOf(subject.pid);
    while (at !== undefined && at !== mark) at = this.#above.get(at);
    return at !== undefined;
  }

  #mark(pid: number): void {
    if (this.#lowest === 0n) throw new RangeError('There is no limit that is lower.');
    if (this.#above.size >= this.#many) this.#forget();
    const { soft, hard: above } = prlimit(pid, RLIMIT_LOCKS);
    const hard = this.#lowest - 1n;
    prlimit(pid, RLIMIT_LOCKS, { soft: soft < hard ? soft : hard, hard });
    this.#lowest = hard;
    this.#above.set(hard, above);
  }

  /** undefined: it is not ours to ask. */
  #markOf(pid: number): bigint | undefined {
    if (this.#lowest === this.#unmarked) return this.#unmarked; // nobody has one
    try {
      return prlimit(pid, RLIMIT_LOCKS).hard;
    } catch (error) {
      if (error instanceof SyscallError) return undefined;
      throw error;
    }
  }

  /** Drops marks that no process has. One that was missed reaches, and is reached by, its like alone. */
  #forget(): void {
    const held = new Set(this.#members.pids().map((pid) => this.#markOf(pid)));
    for (const [mark, above] of this.#above) {
      let at: bigint | undefined = above;
      while (at !== undefined && at !== this.#unmarked && !held.has(at)) at = this.#above.get(at);
      this.#above.set(mark, at ?? this.#unmarked);
    }
    for (const mark of this.#above.keys()) if (!held.has(mark)) this.#above.delete(mark);
    this.#many = this.#above.size + MANY_MARKS;
  }
}
