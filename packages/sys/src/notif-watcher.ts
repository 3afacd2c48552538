/**
 * NotifWatcher: a seccomp listener on the event loop of the current thread, one notification after the other.
 * seccomp_unotify(2)
 */
import { binding } from './binding.js';
import { UV_READABLE } from './fd-watcher.js';
import type { PathScreen } from './path-screen.js';
import { Watcher } from './watcher.js';

export interface NotifWatcherOptions {
  /** A listener; stays the caller's, who closes this watcher before it. */
  readonly fd: number;
  /** At least `NOTIF_BYTES`. Holds the notification from a callback until the next. */
  readonly buffer: Uint8Array;
  /** Calls that pass it are answered with `continue` and not handed out. */
  readonly screen?: PathScreen | undefined;
  /** See {@link Watcher}. */
  readonly eagerUs: number;
  /** 1: received; -EPIPE: no task uses the filter any more; other -errno. Called again while that is so. */
  readonly onReceived: (received: number) => void;
}

export class NotifWatcher extends Watcher {
  constructor({ fd, buffer, screen, eagerUs, onReceived }: NotifWatcherOptions) {
    super(new (binding().NotifWatcher)(fd, buffer, screen?.handle, onReceived), UV_READABLE, eagerUs);
  }
}
