/**
 * A moment until which answers of other threads are waited for.
 *
 * How long one takes is not only for those who ask to say: the pool has few threads, and whatever else is asked of them
 * comes first.
 */
import { monotonicMs } from '@sandlock/sys';

export class Deadline {
  readonly #at: number;
  readonly #passes: Promise<undefined>;
  #timer: NodeJS.Timeout | undefined;

  /** @param ms from now on */
  constructor(ms: number) {
    this.#at = monotonicMs() + ms;
    this.#passes = new Promise((resolve) => { this.#timer = setTimeout(resolve, ms, undefined).unref(); });
  }

  get passed(): boolean {
    return monotonicMs() >= this.#at;
  }

  /** @returns undefined: too late, and whatever becomes of it now is nobody's concern */
  async wait<T extends object>(answer: Promise<T | undefined>): Promise<T | undefined> {
    return await Promise.race([answer, this.#passes]);
  }

  /** Nothing is waited for any more. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
