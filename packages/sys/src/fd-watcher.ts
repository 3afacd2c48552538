/**
 * FdWatcher: a descriptor on the event loop of the current thread, level-triggered. libuv, uv_poll_t.
 */
import { binding } from './binding.js';
import { Watcher } from './watcher.js';

/** Bits of enum uv_poll_event. */
export const UV_READABLE = 1;
export const UV_WRITABLE = 2;
export const UV_DISCONNECT = 4;

/** Calls back while a descriptor is ready. Closing is the owner's, before it closes the descriptor. */
export class FdWatcher extends Watcher {
  /**
   * @param fd        stays the caller's; not closed here
   * @param events    `UV_READABLE | ...`
   * @param callback  gets the ready events; `status` is negative (a libuv error) when polling failed
   * @param eagerUs   for readers, see {@link Watcher}; 0, the default: never
   */
  constructor(fd: number, events: number, callback: (events: number, status: number) => void, eagerUs = 0) {
    super(new (binding().FdWatcher)(fd, (status, ready) => callback(ready, status)), events, eagerUs);
  }
}
