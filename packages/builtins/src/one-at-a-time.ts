/**
 * Work that is done one after the other.
 *
 * For what is read in another thread because of a target: the pool has few threads, and a target can ask as often as it
 * has threads itself. So one sandbox takes one of the pool's for each kind of work, however much it asks for.
 *
 * Who asked can be gone before its turn comes, killed by a program that then asks again. With a signal, such work leaves
 * the queue at once: what waits is bounded by who waits. Whatever the work needs is to be opened by the work itself.
 */
export class OneAtATime {
  readonly #waiting = new Set<() => Promise<void>>();
  #busy = false;

  /**
   * Begins once everything that was asked for before has ended, however it ended.
   *
   * @param signal says that the result is not wanted any more. Work that has not begun by then never does, and its
   *   promise rejects with the signal's reason; what has begun goes on
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = (): void => {
        this.#waiting.delete(begin);
        reject(signal!.reason as Error);
      };
      const begin = (): Promise<void> => {
        signal?.removeEventListener('abort', leave);
        return (async () => work())().then(resolve, reject);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.add(begin);
      this.#next();
    });
  }

  #next(): void {
    const [begin] = this.#waiting;
    if (this.#busy || begin === undefined) return;
    this.#waiting.delete(begin);
    this.#busy = true;
    void begin().then(() => {
      this.#busy = false;
      this.#next();
    });
  }
}
