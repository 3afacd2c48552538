/**
 * The shared objects of a sandbox, as new as they can be had in time.
 *
 * Looking through many descriptors can take longer than a measurement may. Then what was found last counts, and the look
 * goes on for the next measurement. It does so for a while only: who could not be looked through for long may have filled the limit.
 */
import { monotonicMs } from '@sandlock/sys';

import type { OneAtATime } from '../one-at-a-time.js';
import type { Deadline } from './deadline.js';
import type { MemoryStatus } from './memory-status.js';
import type { SharedObjects, SharedObjectsFound } from './shared-objects.js';

/** Without a look that ended. */
const MAX_LATE_MS = 2000;
export const NO_OBJECTS: SharedObjectsFound = { bytes: 0, sizes: new Map(), unseen: new Set(), busyMs: 0 };

export class LatestObjects {
  readonly #objects: SharedObjects;
  readonly #aside: OneAtATime;
  readonly #maxLateMs: number;
  #latest = NO_OBJECTS;
  #lateSince: number | undefined;

  /** @param maxLateMs tests take less */
  constructor(objects: SharedObjects, aside: OneAtATime, maxLateMs = MAX_LATE_MS) {
    this.#objects = objects;
    this.#aside = aside;
    this.#maxLateMs = maxLateMs;
  }

  async find(statuses: readonly MemoryStatus[], deadline: Deadline): Promise<SharedObjectsFound> {
    const begun = monotonicMs();
    const found = await deadline.wait(this.#aside.run(async () => deadline.passed ? undefined : await this.#look(statuses)));
    if (found !== undefined) return found;
    this.#lateSince ??= begun;
    if (monotonicMs() - this.#lateSince < this.#maxLateMs) return { ...this.#latest, busyMs: 0 };
    return { ...this.#latest, unseen: new Set(statuses.map(({ pid }) => pid)), busyMs: 0 };
  }

  async #look(statuses: readonly MemoryStatus[]): Promise<SharedObjectsFound> {
    this.#latest = await this.#objects.find(statuses);
    this.#lateSince = undefined;
    return this.#latest;
  }
}
