/**
 * seccomp: the listener's requests and what the kernel says of itself.
 *
 * The requests stand on the path of every notification, so they return the kernel's value or -errno and throw
 * nothing. seccomp(2), seccomp_unotify(2).
 */
import { binding } from './binding.js';
import { check } from './errors.js';

/** Bytes of struct seccomp_notif, seccomp_notif_resp, seccomp_data in include/uapi/linux/seccomp.h. */
export const NOTIF_BYTES = 80;
export const NOTIF_RESP_BYTES = 24;

/**
 * Receives the next notification, if one waits.
 *
 * @param buffer  at least `NOTIF_BYTES`; zeroed first, as the kernel demands
 * @returns 1 received; 0 nothing waits; -EPIPE: no task uses the filter any more; other -errno. -EINTR (a signal) and
 *   -ENOENT (the target died before it was received) mean: ask again
 */
export function seccompNotifReceive(listenerFd: number, buffer: Uint8Array): number {
  return binding().seccompNotifReceive(listenerFd, buffer);
}

/** Answers a notification. @param error 0 or a negative errno @returns 0, or -errno: ENOENT the target is gone */
export function seccompNotifSend(listenerFd: number, id: bigint, val: bigint, error: number, flags: number): number {
  return binding().seccompNotifSend(listenerFd, id, val, error, flags);
}

/** Installs a copy of `srcFd` in the target. @param flags `SECCOMP_ADDFD_FLAG_*` @returns its number there, or -errno */
export function seccompNotifAddFd(
  listenerFd: number, id: bigint, flags: number, srcFd: number, newFd: number, newFdFlags: number,
): number {
  return binding().seccompNotifAddFd(listenerFd, id, flags, srcFd, newFd, newFdFlags);
}

/** Whether the thread still waits in exactly this call. @returns 0, or -ENOENT */
export function seccompNotifIdValid(listenerFd: number, id: bigint): number {
  return binding().seccompNotifIdValid(listenerFd, id);
}

/** Sets `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`. @returns 0, or -errno: EINVAL before Linux 6.6 */
export function seccompNotifSetFlags(listenerFd: number, flags: number | bigint): number {
  return binding().seccompNotifSetFlags(listenerFd, flags);
}

/** Sizes of the kernel's notification structures. @throws {SyscallError} before Linux 5.0 */
export function seccompGetNotifSizes(): { notif: number; response: number; data: number } {
  const sizes = binding().seccompGetNotifSizes();
  if (typeof sizes === 'number') {
    check('seccomp', sizes, 'SECCOMP_GET_NOTIF_SIZES');
    throw new TypeError('unreachable');
  }
  return { notif: sizes[0], response: sizes[1], data: sizes[2] };
}

/** Whether the kernel knows an action, `SECCOMP_RET_*`. @see seccomp(2), SECCOMP_GET_ACTION_AVAIL */
export function seccompActionAvailable(action: number): boolean {
  return binding().seccompGetActionAvail(action) === 0;
}

/**
 * Installs a filter on the calling thread, for good. Needs no_new_privs.
 *
 * @param flags    `SECCOMP_FILTER_FLAG_*`
 * @param program  struct sock_filter, 8 bytes each
 * @returns a listener with NEW_LISTENER, otherwise 0
 * @throws {SyscallError} EINVAL a program the kernel refuses, EACCES without no_new_privs, EBUSY a second listener
 */
export function seccompSetModeFilter(flags: number, program: Uint8Array): number {
  return check('seccomp', binding().seccompSetModeFilter(flags, program), 'SECCOMP_SET_MODE_FILTER');
}

/**
 * Whether a filter that this thread is under has a listener: there can be one only, so none can be made.
 *
 * @throws {SyscallError} a filter cannot be set at all
 * @see seccomp(2), EBUSY
 */
export function seccompHasListener(): boolean {
  return check('seccomp', binding().seccompHasListener()) === 1;
}
