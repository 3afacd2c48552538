/**
 * FdWatcher: a descriptor on the event loop of the current thread, level-triggered. libuv, uv_poll_t.
 */
import { binding, type WatcherHandle } from './binding.js';
import { SyscallError } from './errors.js';

/** Bits of enum uv_poll_event. */
export const UV_READABLE = 1;
export const UV_WRITABLE = 2;
export const UV_DISCONNECT = 4;

/** Calls back while a descriptor is readable. Closing is the owner's, before it closes the descriptor. */
export class FdWatcher {
  readonly #handle: WatcherHandle;

  /**
   * @param fd        stays the caller's; not closed here
   * @param events    `UV_READABLE | ...`
   * @param callback  gets the ready events; `status` is negative (a libuv error) when polling failed
   * @param eagerUs   for this long after each callback the thread, where it would sleep in the loop's epoll, sleeps on
   *   the descriptor itself and on epoll beside it. The kernel then wakes it on the processor of whoever made the
   *   descriptor readable, which takes a fraction of the time; no other event waits for it. 0, the default: never.
   *   The loop counts this sleep as time it was busy (performance.eventLoopUtilization())
   */
  constructor(fd: number, events: number, callback: (events: number, status: number) => void, eagerUs = 0) {
    this.#handle = new (binding().FdWatcher)(fd, (status, ready) => callback(ready, status));
    const result = this.#handle.start(events, eagerUs);
    if (result < 0) {
      this.#handle.close();
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
