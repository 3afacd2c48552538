/**
 * NotifWatcher: a seccomp listener on the event loop of the current thread, one notification after the other.
 *
 * They come in their order, but for exit_group(2): that of a process whose parent catches SIGCHLD and is about to make a
 * call comes after that call, or some milliseconds later. The signal would make a call fail that is not received yet.
 * seccomp_unotify(2)
 */
import { binding, type NotifWatcherHandle } from './binding.js';
import { UV_READABLE } from './fd-watcher.js';
import type { PathScreen } from './path-screen.js';
import { Watcher } from './watcher.js';

/** Nothing for the caller: some ends of processes wait from now on. */
const ENDS_WAIT = 2;

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
    const handle: NotifWatcherHandle = new (binding().NotifWatcher)(fd, buffer, screen?.handle, (received) => {
      if (received === ENDS_WAIT) endLater(handle);
      else onReceived(received);
    });
    super(handle, UV_READABLE, eagerUs);
  }
}

function endLater(handle: NotifWatcherHandle): void {
  setTimeout(() => {
    if (handle.endDue()) endLater(handle);
  }, 1).unref();
}
