/**
 * Held calls: parked on purpose until somebody releases them.
 *
 * A call that is held and forgotten would stay parked for good, also against signals. So each has a time
 * limit, after which it is denied, and all of them can be listed.
 */
import { monotonicMs } from '@sandlock/sys';

import type { Call } from './call.js';
import { after } from './limits.js';
import type { Link } from './table.js';

export interface Held {
  readonly call: Call;
  readonly link: Link;
  readonly since: number;
  readonly limitMs: number;
  readonly timer: NodeJS.Timeout | undefined;
}

export class HeldCalls {
  readonly #held = new Map<bigint, Held>();

  get size(): number {
    return this.#held.size;
  }

  hold(call: Call, link: Link, limitMs: number, onTimeout: () => void): void {
    const timer = after(limitMs, () => {
      if (this.#held.delete(call.id)) onTimeout();
    });
    this.#held.set(call.id, { call, link, since: monotonicMs(), limitMs, timer });
  }

  take(id: bigint): Held | undefined {
    const held = this.#held.get(id);
    if (held === undefined) return undefined;
    this.#held.delete(id);
    if (held.timer !== undefined) clearTimeout(held.timer);
    return held;
  }

  list(): readonly Held[] {
    return [...this.#held.values()];
  }
}
