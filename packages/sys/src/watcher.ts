/**
 * Watcher: what watches a descriptor on the event loop of the current thread, from its making until it is closed.
 *
 * It may do so eagerly: for some time after each event the thread, where it would sleep in the loop's epoll, sleeps on the
 * descriptor itself and on epoll beside it. The kernel then wakes it on the processor of whoever made the
 * descriptor readable, which takes a fraction of the time; no other event waits for it. The loop counts this sleep as time
 * it was busy (performance.eventLoopUtilization()).
 */
import type { WatcherHandle } from './binding.js';
import { SyscallError } from './errors.js';

export class Watcher {
  readonly #handle: WatcherHandle;

  /** @param eagerUs how long after each event @throws {SyscallError} the descriptor cannot be watched */
  protected constructor(handle: WatcherHandle, events: number, eagerUs: number) {
    this.#handle = handle;
    const result = handle.start(events, eagerUs);
    if (result < 0) {
      handle.close();
      throw new SyscallError('epoll_ctl', result);
    }
  }

  /** Keeps the event loop alive while watching: the default. */
  ref(): void {
    this.#handle.ref();
  }

  /** Does not keep the event loop alive. */
  unref(): void {
    this.#handle.unref();
  }

  /** Ends watching; no callback comes after. Idempotent. */
  close(): void {
    this.#handle.close();
  }
}
