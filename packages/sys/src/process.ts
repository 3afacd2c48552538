/**
 * Processes: pidfds, signals, names, limits, address spaces and processors. pidfd_open(2), kill(2), uname(2), sysinfo(2),
 * prlimit(2), kcmp(2), sched_setaffinity(2).
 */
import { constants } from 'node:os';

import { binding } from './binding.js';
import { check, SyscallError } from './errors.js';

/**
 * A descriptor for a process.
 *
 * @param flags  0, or `PIDFD_THREAD` for a thread (Linux 6.9)
 * @returns close-on-exec; readable once the process ended; the caller closes it
 * @throws {SyscallError} ESRCH no such process, EINVAL or ENOENT a thread without the flag
 */
export function pidfdOpen(pid: number, flags = 0): number {
  return check('pidfd_open', binding().pidfdOpen(pid, flags));
}

/**
 * Duplicates a descriptor of the target into this process.
 *
 * @param pidfd     from {@link pidfdOpen}
 * @param targetFd  descriptor number in the target
 * @returns a close-on-exec descriptor that shares the target's file offset; the caller closes it
 * @throws {SyscallError} EBADF no such descriptor, EPERM no ptrace access, ESRCH target is gone
 * @see pidfd_getfd(2); Linux 5.6
 */
export function pidfdGetfd(pidfd: number, targetFd: number): number {
  return check('pidfd_getfd', binding().pidfdGetfd(pidfd, targetFd, 0));
}

/**
 * Whether this process may call pidfd_getfd(2) at all, as filters of container runtimes do not let it. Asked for no descriptor
 * of nobody, the call itself has nothing to say but EBADF.
 */
export function mayCallPidfdGetfd(): boolean {
  return binding().pidfdGetfd(-1, -1, 0) === -constants.errno.EBADF;
}

/** Sends a signal to exactly the process of the pidfd. @throws {SyscallError} ESRCH it ended, EPERM */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  check('pidfd_send_signal', binding().pidfdSendSignal(pidfd, signal));
}

/** Sends a signal by number. The caller knows whose number it is. @throws {SyscallError} ESRCH, EPERM @see kill(2) */
export function kill(pid: number, signal: number): void {
  check('kill', binding().kill(pid, signal));
}

/** The process group of a process. @throws {SyscallError} ESRCH */
export function getpgid(pid: number): number {
  return check('getpgid', binding().getpgid(pid));
}

/** Reaps a child by its pidfd if it has ended; never sleeps. @returns whether it was reaped @throws {SyscallError} ECHILD */
export function reapPidfd(pidfd: number): boolean {
  return check('waitid', binding().reapPidfd(pidfd)) === 1;
}

/** What the machine has been up for, and its memory. Free memory holds nothing, not even a cache. @see sysinfo(2) */
export function sysinfo(): { uptimeSeconds: number; totalBytes: number; freeBytes: number } {
  const values = binding().sysinfo();
  if (typeof values === 'number') throw new SyscallError('sysinfo', values);
  const [uptimeSeconds, totalBytes, freeBytes] = values;
  return { uptimeSeconds, totalBytes, freeBytes };
}

/** Bytes of one field of struct utsname, NUL included. include/uapi/linux/utsname.h, __NEW_UTS_LEN */
export const UTSNAME_FIELD_BYTES = 65;

/** struct utsname: sysname, nodename, release, version, machine, domainname, 65 bytes each. @see uname(2) */
export function uname(): Buffer {
  const buffer = Buffer.alloc(6 * UTSNAME_FIELD_BYTES);
  check('uname', binding().uname(buffer));
  return buffer;
}

/**
 * Whether two processes share one address space, as vfork(2) and clone(2) with CLONE_VM make them.
 *
 * @throws {SyscallError} ESRCH one is gone, EPERM no ptrace access, ENOSYS the kernel has no kcmp(2)
 */
export function sharesMemory(pid: number, other: number): boolean {
  return check('kcmp', binding().kcmpVm(pid, other)) === 0;
}

/** Room for the mask of any kernel: CONFIG_NR_CPUS is at most 8192. */
const MASK_BYTES = 1024;

/**
 * The processors that a thread may run on: bit n of byte n / 8 is CPU n, in as many bytes as the kernel has.
 *
 * @param tid  a thread, or 0 for the calling one
 * @throws {SyscallError} ESRCH @see sched_getaffinity(2)
 */
export function schedGetaffinity(tid: number): Buffer {
  const mask = Buffer.alloc(MASK_BYTES);
  return mask.subarray(0, check('sched_getaffinity', binding().schedGetaffinity(tid, mask)));
}

/** Sets them. @throws {SyscallError} EINVAL no such processor is left, EPERM, ESRCH @see sched_setaffinity(2) */
export function schedSetaffinity(tid: number, mask: Uint8Array): void {
  check('sched_setaffinity', binding().schedSetaffinity(tid, mask));
}

/** Of file locks, which no kernel since 2.4 counts: it is kept and inherited, and that is all. getrlimit(2) */
export const RLIMIT_LOCKS = 10;

/** Of descriptors: one more than the largest number. getrlimit(2) */
export const RLIMIT_NOFILE = 7;

export const RLIM_INFINITY = 2n ** 64n - 1n;

export interface ResourceLimits {
  readonly soft: bigint;
  readonly hard: bigint;
}

/**
 * The limits of a process, and with `wanted` new ones in their place.
 *
 * @param pid       a process, a thread of one, or 0 for this one
 * @param resource  RLIMIT_*
 * @returns what they were
 * @throws {SyscallError} EPERM somebody else's, or a hard limit would be raised; ESRCH; EINVAL @see prlimit(2)
 */
export function prlimit(pid: number, resource: number, wanted?: ResourceLimits): ResourceLimits {
  const old = Buffer.alloc(16);
  check('prlimit', binding().prlimit(pid, resource, wanted === undefined ? null : Buffer.from(BigUint64Array.of(wanted.soft, wanted.hard).buffer), old));
  return { soft: old.readBigUInt64LE(0), hard: old.readBigUInt64LE(8) };
}
