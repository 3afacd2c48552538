/**
 * What a sandbox uses, cheaply where it can be.
 *
 * The plain counters of its processes come first; their sum can only be too large. When it passes the limit, the
 * answer is worked out: processes in one address space count once, and a page of several counts once in all.
 * A process that was killed for it and is not gone yet has no part in that, or the next one would pay for it.
 *
 * Working it out takes as long as programs make it take, by what they map and open. That goes on in another thread, the
 * largest process first and no further than the answer needs; and when it takes too long, what is not worked out yet
 * counts as its counters say. So a program can make the answer larger by that, and neither late nor smaller. Too long is
 * also by the clock, since those threads can have other things to do. What a process has grown by since it was worked
 * out is added in the end.
 */
import { OneAtATime } from '../one-at-a-time.js';
import type { ProcessTree } from '../process-tree.js';
import { addressSpaces } from './address-spaces.js';
import { Deadline } from './deadline.js';
import { LatestObjects, NO_OBJECTS } from './latest-objects.js';
import { readMemoryStatus, type MemoryStatus } from './memory-status.js';
import { readProportional } from './proportional.js';
import { SharedAllocations } from './shared-allocations.js';
import type { SharedObjects } from './shared-objects.js';

/** Processor time for reading one sandbox's page tables, some tens of gigabytes of them. */
const MAX_BUSY_MS = 200;
/** From its beginning, whatever has been worked out. */
const MAX_MS = 250;
/** Of the text that says what is mapped, in all: some three thousand mappings. */
const MAX_TEXT_BYTES = 2 * 1024 * 1024;

export interface Measurement {
  /** At most this much is in use; where it is more than was asked about, as exact as it could be worked out. */
  readonly usedBytes: number;
  /** By process. */
  readonly shares: ReadonlyMap<number, number>;
  /** Processor time that other threads took for it. */
  readonly busyMs: number;
}

export interface MemoryMeterOptions {
  readonly members: ProcessTree;
  readonly objects: SharedObjects;
  readonly limitBytes: number;
  /** Tests take less. */
  readonly maxBusyMs?: number;
  /** Tests take less. */
  readonly maxMs?: number;
  /** Tests read something else. */
  readonly read?: typeof readProportional;
}

export class MemoryMeter {
  readonly #options: MemoryMeterOptions;
  readonly #objects: LatestObjects;
  /** What is late still has its thread. */
  readonly #aside = new OneAtATime();
  /** Killed, by pid. */
  readonly #dying = new Set<number>();

  constructor(options: MemoryMeterOptions) {
    this.#options = options;
    this.#objects = new LatestObjects(options.objects, this.#aside);
  }

  /** This process gets a SIGKILL. */
  killed(pid: number): void {
    this.#dying.add(pid);
  }

  /** What can be said at once: at most so much. undefined where more than counters would have to be looked at. */
  atOnce(): Measurement | undefined {
    if (this.#options.objects.expected) return undefined;
    return measurement(0, new Map(this.#statuses().map(({ pid, usedBytes }) => [pid, usedBytes])), 0);
  }

  /** @param requestBytes what somebody asks for on top: close to the limit the answer is worked out */
  async measure(requestBytes = 0): Promise<Measurement> {
    const deadline = new Deadline(this.#options.maxMs ?? MAX_MS);
    try {
      return await this.#measure(this.#options.limitBytes - requestBytes, deadline);
    } finally {
      deadline.clear();
    }
  }

  /** @param enough no more than this need not be worked out */
  async #measure(enough: number, deadline: Deadline): Promise<Measurement> {
    const { objects, limitBytes, maxBusyMs = MAX_BUSY_MS, read = readProportional } = this.#options;
    const allocations = new SharedAllocations();
    const found = objects.expected ? await this.#objects.find(this.#statuses(), deadline) : NO_OBJECTS;
    const statuses = this.#statuses();
    // Who cannot be looked through has filled the limit, for all that can be said.
    const shares = new Map(statuses.map(({ pid, usedBytes }) => [pid, usedBytes + (found.unseen.has(pid) ? limitBytes : 0)]));
    /** What the counters said when the share was worked out. */
    const counted = new Map<number, Counters>(statuses.map((status) => [status.pid, status]));
    let { busyMs } = found;
    let used = found.bytes + sum(shares);
    const set = (pid: number, bytes: number): void => {
      used += bytes - shares.get(pid)!;
      shares.set(pid, bytes);
    };
    if (used <= enough) return measurement(found.bytes, shares, busyMs);

    const count = (pid: number): Counters => {
      const counters = readMemoryStatus(pid) ?? NOTHING; // it may have ended meanwhile
      counted.set(pid, counters);
      return counters;
    };
    const grow = (): void => {
      const sharedGrowth = new Map<number, number>();
      for (const pid of shares.keys()) {
        const before = counted.get(pid)!;
        const now = count(pid);
        set(pid, shares.get(pid)! + Math.max(0, ownBytes(now) - ownBytes(before)));
        sharedGrowth.set(pid, Math.max(0, now.sharedBytes - before.sharedBytes));
      }
      const all = sum(sharedGrowth);
      if (all === 0) return;
      const part = Math.min(1, allocations.grown() / all);
      for (const [pid, bytes] of sharedGrowth) set(pid, shares.get(pid)! + bytes * part);
    };
    /** Those worked out first have had the most time to grow. */
    const fits = (): boolean => {
      if (used <= enough) grow();
      return used <= enough;
    };
    const kept = new Set(addressSpaces(statuses));
    for (const status of statuses) {
      if (kept.has(status) || found.unseen.has(status.pid)) continue;
      set(status.pid, 0);
      shares.delete(status.pid);
    }
    const sharing: { pid: number; tid: number; sharedBytes: number }[] = [];
    const largestFirst = [...kept].filter(({ pid }) => !found.unseen.has(pid)).sort((a, b) => b.usedBytes - a.usedBytes);
    const readUntil = busyMs + maxBusyMs;
    for (const { pid, tid } of largestFirst) {
      if (fits()) return this.remaining(measurement(found.bytes, shares, busyMs));
      const counters = count(pid);
      if (busyMs >= readUntil || deadline.passed) {
        set(pid, counters.usedBytes);
        continue;
      }
      // One that cannot be looked at (its program is not readable), or not in time, has all that its counters say.
      const proportional = await deadline.wait(this.#aside.run(async () => deadline.passed ? undefined : await read(tid)));
      // Nothing is of a process that has ended, or of a thread that others outlive.
      if (proportional === undefined || (proportional.bytes === 0 && count(pid) !== NOTHING)) {
        set(pid, counted.get(pid)!.usedBytes);
        continue;
      }
      set(pid, proportional.bytes);
      busyMs += proportional.busyMs;
      if (proportional.sharedBytes > 0) sharing.push({ pid, tid, sharedBytes: proportional.sharedBytes });
    }
    let textBytes = found.bytes > 0 ? MAX_TEXT_BYTES : 0;
    for (const { pid, tid } of sharing.sort((a, b) => b.sharedBytes - a.sharedBytes)) {
      if (textBytes <= 0 || fits()) break;
      const room = textBytes;
      const mapped = await deadline.wait(this.#aside.run(async () => deadline.passed ? undefined : await objects.mapped(tid, room, found)));
      if (mapped === undefined) break;
      set(pid, Math.max(0, shares.get(pid)! - mapped.bytes));
      textBytes -= mapped.textBytes;
    }
    grow();
    return this.remaining(measurement(found.bytes, shares, busyMs));
  }

  /** What is left of a measurement without those that were killed since. */
  remaining({ usedBytes, shares, busyMs }: Measurement): Measurement {
    const left = new Map(shares);
    let bytes = usedBytes;
    for (const pid of this.#dying) {
      bytes -= left.get(pid) ?? 0;
      left.delete(pid);
    }
    return { usedBytes: bytes, shares: left, busyMs };
  }

  #statuses(): MemoryStatus[] {
    const living = this.#options.members.living();
    for (const pid of this.#dying) if (!living.includes(pid)) this.#dying.delete(pid);
    return living.filter((pid) => !this.#dying.has(pid)).map(readMemoryStatus).filter((status) => status !== undefined);
  }
}

type Counters = Pick<MemoryStatus, 'usedBytes' | 'sharedBytes'>;

const NOTHING: Counters = { usedBytes: 0, sharedBytes: 0 };

function ownBytes({ usedBytes, sharedBytes }: Counters): number {
  return usedBytes - sharedBytes;
}

function measurement(objectBytes: number, shares: ReadonlyMap<number, number>, busyMs: number): Measurement {
  return { usedBytes: objectBytes + sum(shares), shares, busyMs };
}

function sum(shares: ReadonlyMap<number, number>): number {
  let bytes = 0;
  for (const each of shares.values()) bytes += each;
  return bytes;
}
