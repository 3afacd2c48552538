/**
 * What a sandbox uses, cheaply where it can be.
 *
 * The plain counters of its processes come first; their sum can only be too large. When it passes the limit, the
 * answer is worked out: processes in one address space count once, and a page of several counts once in all.
 * A process that was killed for it and is not gone yet has no part in that, or the next one would pay for it.
 */
import type { ProcessTree } from '../process-tree.js';
import { addressSpaces } from './address-spaces.js';
import { readMemoryStatus } from './memory-status.js';
import { readProportional } from './proportional.js';
import type { SharedObjects } from './shared-objects.js';

export interface Measurement {
  /** At most this much is in use; exact where it is more than the limit. */
  readonly usedBytes: number;
  /** By process. */
  readonly shares: ReadonlyMap<number, number>;
}

export class MemoryMeter {
  readonly #members: ProcessTree;
  readonly #objects: SharedObjects;
  readonly #limitBytes: number;
  /** Killed, by pid. */
  readonly #dying = new Set<number>();

  constructor(members: ProcessTree, objects: SharedObjects, limitBytes: number) {
    this.#members = members;
    this.#objects = objects;
    this.#limitBytes = limitBytes;
  }

  /** This process gets a SIGKILL. */
  killed(pid: number): void {
    this.#dying.add(pid);
  }

  /** @param requestBytes what somebody asks for on top: close to the limit the answer is worked out */
  measure(requestBytes = 0): Measurement {
    const living = this.#members.living();
    for (const pid of this.#dying) if (!living.includes(pid)) this.#dying.delete(pid);
    const members = living.filter((pid) => !this.#dying.has(pid));
    const statuses = members.map(readMemoryStatus).filter((status) => status !== undefined);
    const objects = this.#objects.measure(members);
    const rough = sumUp(objects, new Map(statuses.map(({ pid, usedBytes }) => [pid, usedBytes])));
    if (rough.usedBytes + requestBytes <= this.#limitBytes) return rough;
    return sumUp(objects, new Map(addressSpaces(statuses).map(({ pid, usedBytes }) => {
      // One that cannot be looked at (its program is not readable) has all that its counters say.
      const proportional = readProportional(pid);
      return [pid, proportional === undefined ? usedBytes : Math.max(0, proportional - this.#objects.mapped(pid))];
    })));
  }
}

function sumUp(objects: number, shares: ReadonlyMap<number, number>): Measurement {
  let usedBytes = objects;
  for (const bytes of shares.values()) usedBytes += bytes;
  return { usedBytes, shares };
}
