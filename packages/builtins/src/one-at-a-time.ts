/**
 * Work that is done one after the other.
 *
 * For what is read in another thread because of a target: the pool has few threads, and a target can ask as often as it
 * has threads itself. So one sandbox takes one of the pool's for each kind of work, however much it asks for.
 */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Begins once everything that was asked for before has ended, however it ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
