/**
 * Responses: one action into what the kernel takes, and every way in which it may not take it.
 *
 * No thread may stay parked because a response was malformed, no injection that failed may turn into
 * the original call, and a descriptor of an action is closed once on every path.
 * seccomp_unotify(2), ioctl operations; kernel/seccomp.c, seccomp_notify_send() and seccomp_notify_addfd().
 */
import {
  errnoName, SECCOMP_ADDFD_FLAG_SEND, SECCOMP_ADDFD_FLAG_SETFD, SECCOMP_USER_NOTIF_FLAG_CONTINUE,
} from '@sandlock/sys';
import { constants } from 'node:os';

import { checkedTargetFd, type InjectBytesAction, type InjectFdAction, type InjectFdSendAction, type NotifAction, type WishedFd } from './action.js';
import type { Call } from './call.js';
import { contained } from './contained.js';
import type { Outcome } from './handler.js';
import type { Listener } from './listener.js';
import type { ReportQueue } from './reports.js';

const { EACCES, EBADF, EBUSY, EINTR, EINVAL, EIO, EMFILE, ENFILE, ENOENT } = constants.errno;

/** Actions that are an answer by themselves. */
export type DirectAction = Exclude<NotifAction, { kind: 'kill' | 'hold' | 'defer' }>;

export class Responder {
  readonly #listener: Listener;
  readonly #reports: ReportQueue;
  /** Answers that came too late. */
  stale = 0;
  injectionFailures = 0;
  sendFailures = 0;

  constructor(listener: Listener, reports: ReportQueue) {
    this.#listener = listener;
    this.#reports = reports;
  }

  /** Answers the call. An answer to a call that is over only gives up what the action owns. */
  answer(call: Call, action: DirectAction): void {
    if (call.over) {
      action.discard();
      return;
    }
    switch (action.kind) {
      case 'continue':
        return this.#send(call, 'continue', 0n, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
      case 'errno':
        return this.#send(call, 'errno', 0n, -action.errno, 0);
      case 'returnValue':
        return this.#send(call, 'returnValue', action.value, 0, 0);
      case 'injectFd':
        return this.#injectFd(call, action);
      case 'injectFdSend':
        return this.#injectFdSend(call, action);
      case 'injectBytes':
        return this.#injectBytes(call, action);
    }
  }

  errno(call: Call, errno: number): void {
    if (!call.over) this.#send(call, 'errno', 0n, -errno, 0);
  }

  /** The call went away before it was answered. */
  gone(call: Call): void {
    if (call.over) return;
    this.stale++;
    this.#finish(call, false, 'errno', 0, undefined);
  }

  #send(call: Call, kind: Outcome['kind'], value: bigint, error: number, flags: number): void {
    let rc = this.#sendOnce(call, value, error, flags);
    // Something in it was malformed after all. A valid denial, so that the thread does not stay parked.
    if (rc === -EINVAL) {
      this.#sendFailed(call, rc);
      kind = 'errno';
      error = -EACCES;
      rc = this.#sendOnce(call, 0n, error, 0);
    }
    // ENOENT is everyday: the target was killed or the call interrupted, and ids are never used again.
    if (rc === -ENOENT) this.stale++;
    else if (rc < 0) this.#sendFailed(call, rc);
    this.#finish(call, rc === 0, kind, -error, undefined);
  }

  /** The lock in the kernel is interruptible, so a signal to us may end the ioctl with nothing done. */
  #sendOnce(call: Call, value: bigint, error: number, flags: number): number {
    let rc = this.#listener.send(call.id, value, error, flags);
    while (rc === -EINTR) rc = this.#listener.send(call.id, value, error, flags);
    return rc;
  }

  #addFd(call: Call, flags: number, srcFd: number, newFd: number, newFdFlags: number): number {
    let rc = this.#listener.addFd(call.id, flags, srcFd, newFd, newFdFlags);
    while (rc === -EINTR) rc = this.#listener.addFd(call.id, flags, srcFd, newFd, newFdFlags);
    return rc;
  }

  #injectFd(call: Call, { srcFd, targetFd, newFdFlags }: InjectFdAction): void {
    if (srcFd === this.#listener.fd) return this.#injectionFailed(call, 'srcFd is the listener', EACCES);
    const rc = this.#addFd(call, SECCOMP_ADDFD_FLAG_SETFD, srcFd, targetFd, newFdFlags);
    if (rc < 0) return this.#addFdFailed(call, rc);
    this.#send(call, 'continue', 0n, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  }

  #injectFdSend(call: Call, { owned, newFdFlags, at, onInjected }: InjectFdSendAction): void {
    if (!owned.isOpen) return this.#injectionFailed(call, 'the action was answered with or discarded before', EACCES);
    if (owned.fd === this.#listener.fd) {
      owned.forget(); // ours, and still needed
      return this.#injectionFailed(call, 'srcFd is the listener', EACCES);
    }
    this.#addFdSend(call, owned.fd, newFdFlags, at, onInjected, () => owned.close());
  }

  #injectBytes(call: Call, { data, seal, newFdFlags }: InjectBytesAction): void {
    const file = this.#listener.makeFile(data, seal);
    if (file < 0) return this.#injectionFailed(call, `no anonymous file: ${errnoName(file) ?? file}`, EIO);
    this.#addFdSend(call, file, newFdFlags, undefined, undefined, () => this.#listener.closeFd(file));
  }

  #addFdSend(
    call: Call, srcFd: number, newFdFlags: number, at: WishedFd | undefined,
    onInjected: ((targetFd: number) => void) | undefined, closeSource: () => void,
  ): void {
    let rc: number;
    try {
      rc = at === undefined ? this.#addFd(call, SECCOMP_ADDFD_FLAG_SEND, srcFd, 0, newFdFlags)
        : this.#addFdAt(call, srcFd, at, newFdFlags);
    } catch (error) {
      this.#callbackFailed(call, 'targetFd', error);
      return this.#injectionFailed(call, 'targetFd gave no number', EACCES);
    } finally {
      closeSource();
    }
    if (rc < 0) return this.#addFdFailed(call, rc);
    if (onInjected !== undefined) contained(() => onInjected(rc), (error) => this.#callbackFailed(call, 'onInjected', error));
    this.#finish(call, true, 'fd', 0, rc);
  }

  /** EBADF says that the number is beyond the target's limit, EBUSY that a call of the target is about to fill it. fs/file.c, replace_fd() */
  #addFdAt(call: Call, srcFd: number, { targetFd, orLowest }: WishedFd, newFdFlags: number): number {
    const number = typeof targetFd === 'function' ? targetFd() : targetFd;
    const rc = number === undefined ? -EBADF
      : this.#addFd(call, SECCOMP_ADDFD_FLAG_SEND | SECCOMP_ADDFD_FLAG_SETFD, srcFd, checkedTargetFd(number), newFdFlags);
    if (rc !== -EBADF && rc !== -EBUSY) return rc;
    return orLowest ? this.#addFd(call, SECCOMP_ADDFD_FLAG_SEND, srcFd, 0, newFdFlags) : -EMFILE;
  }

  #addFdFailed(call: Call, rc: number): void {
    if (rc === -ENOENT) return this.gone(call);
    // The target's own limit reads as such; everything else is a denial. Never continue: the original
    // call would run against what the injection was to stand in for.
    const errno = rc === -EMFILE || rc === -ENFILE ? -rc : EACCES;
    this.#injectionFailed(call, errnoName(rc) ?? String(rc), errno);
  }

  #injectionFailed(call: Call, reason: string, errno: number): void {
    this.injectionFailures++;
    this.#reports.push({ type: 'injectionFailed', reason, errno, ...where(call) });
    this.errno(call, errno);
  }

  #sendFailed(call: Call, rc: number): void {
    this.sendFailures++;
    this.#reports.push({ type: 'sendFailed', reason: errnoName(rc) ?? String(rc), ...where(call) });
  }

  #finish(call: Call, delivered: boolean, kind: Outcome['kind'], errno: number, fd: number | undefined): void {
    call.over = true;
    if (!call.isWatched) return;
    const outcome: Outcome = Object.freeze({ delivered, kind, errno: errno > 0 ? errno : undefined, fd });
    for (const callback of call.takeOutcomes()) {
      contained(() => callback(outcome), (error) => this.#callbackFailed(call, 'onOutcome', error));
    }
  }

  #callbackFailed(call: Call, callback: string, error: unknown): void {
    this.#reports.push({ type: 'callback', callback, error, ...where(call) });
  }
}

export function where(call: Call): { syscall: string; nr: number; pid: number } {
  return { syscall: call.name, nr: call.nr, pid: call.pid };
}
