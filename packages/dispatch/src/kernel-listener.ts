/**
 * The kernel's listener, on the event loop.
 *
 * Answers with the synchronous wake-up where the kernel has it: the flag word is the argument of the
 * ioctl itself, and a pointer to it is refused with EINVAL.
 * kernel/seccomp.c, seccomp_notify_set_flags(); Linux 6.6.
 */
import {
  addSeals, close, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, getpgid, KeptFd, kill, memfdCreate,
  MFD_ALLOW_SEALING, MFD_CLOEXEC, NotifWatcher, PathScreen, PIDFD_THREAD, pidfdGetfd, pidfdOpen, pidfdSendSignal, processVmReadv, processVmWritev,
  SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, seccompGetNotifSizes, seccompNotifAddFd, seccompNotifIdValid, seccompNotifSend,
  seccompNotifSetFlags, SyscallError, type KnownDirectory,
} from '@sandlock/sys';
import { readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';

import { SupervisorError } from './errors.js';
import type { Listener } from './listener.js';
import { NOTIFICATION_BYTES } from './notification.js';
import type { KnownEntries } from './paths-of-concern.js';

/** A target that makes trapped calls at all makes its next one within this, more often than not. */
const EAGER_US = 20_000;
/** sizeof(struct seccomp_notif_resp). */
const RESPONSE_BYTES = 24;
const CLOSED = -constants.errno.EBADF;
const { EIO, ESRCH } = constants.errno;

export interface KernelListener extends Listener {
  /**
   * Takes the descriptor where it came later than all else: owned from here on, and closed with the supervisor.
   *
   * @throws {SupervisorError} ERR_SANDLOCK_SUPERVISOR_STATE: it has one, or was closed; nothing is owned then
   */
  attach(fd: number): void;
}

/**
 * @param listenerFd  owned once this has returned, and closed with the supervisor. Left out: it is on its way, and a supervisor can
 *   be made meanwhile, which is started once the descriptor is attached
 * @throws {SupervisorError} ERR_SANDLOCK_SUPERVISOR_LISTENER: notifications or responses of this kernel have another size
 */
export function kernelListener(listenerFd?: number): KernelListener {
  const { notif, response } = seccompGetNotifSizes();
  if (notif !== NOTIFICATION_BYTES || response !== RESPONSE_BYTES) {
    throw new SupervisorError('ERR_SANDLOCK_SUPERVISOR_LISTENER',
      `Notifications and responses of this kernel have ${notif} and ${response} bytes; this supervisor knows those of ${NOTIFICATION_BYTES} and ${RESPONSE_BYTES}.`);
  }
  let fd = -1; // none: not there yet, or closed
  let owned: KeptFd | undefined; // a worker may be ended, and nobody closes the supervisor then
  let mayAttach = true;
  let syncWakeUp = false;
  let watcher: NotifWatcher | undefined;
  let isReferenced = true;
  let screen: PathScreen | undefined;
  const attach = (given: number): void => {
    if (!mayAttach) throw new SupervisorError('ERR_SANDLOCK_SUPERVISOR_STATE', 'A listener takes one descriptor, and none once it is closed.');
    mayAttach = false;
    fd = given;
    owned = new KeptFd(fd);
    // EINVAL and ENOTTY before 6.6: slower, and nothing else.
    syncWakeUp = seccompNotifSetFlags(fd, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) === 0;
  };
  if (listenerFd !== undefined) attach(listenerFd);
  return {
    get fd() { return fd < 0 ? undefined : fd; },
    get syncWakeUp() { return syncWakeUp; },
    attach,
    start(buffer, onReceived) {
      watcher = new NotifWatcher({ fd, buffer, screen, eagerUs: EAGER_US, onReceived });
      if (!isReferenced) watcher.unref();
    },
    close() {
      mayAttach = false;
      if (fd < 0) return;
      watcher?.close();
      owned?.close();
      fd = -1;
    },
    ref() {
      isReferenced = true;
      watcher?.ref();
    },
    unref() {
      isReferenced = false;
      watcher?.unref();
    },

    screen(arch, { calls, names, trees, knownEntries }) {
      screen = new PathScreen(arch, calls, names.map(toBytes), trees.map(toBytes), knownEntries.map(asDirectory));
    },
    screened: (nr) => screen?.passed(nr) ?? 0,

    // Once closed, the number may be anyone's: another supervisor's listener even.
    send: (id, value, error, flags) => (fd < 0 ? CLOSED : seccompNotifSend(fd, id, value, error, flags)),
    addFd: (id, flags, srcFd, newFd, newFdFlags) => (
      fd < 0 ? CLOSED : seccompNotifAddFd(fd, id, flags, srcFd, newFd, newFdFlags)),
    idValid: (id) => (fd < 0 ? CLOSED : seccompNotifIdValid(fd, id)),

    readMemory: processVmReadv,
    writeMemory: processVmWritev,
    dupFd: (pid, targetFd) => result(() => withPidfd(openThread(pid), (pidfd) => pidfdGetfd(pidfd, targetFd))),
    makeFile: (content, seal) => result(() => makeFile(content, seal)),
    closeFd: (number) => void result(() => close(number)),

    getpgid: (pid) => result(() => getpgid(pid)),
    signalTask: (pid, signal, stillThere) => result(() => withPidfd(openProcess(pid), (pidfd) => {
      // Pinned now: if the call still waits, the descriptor is of the process that made it.
      if (stillThere()) pidfdSendSignal(pidfd, signal);
    })),
    signalGroup: (pgid, signal) => result(() => kill(-pgid, signal)),
  };
}

/** The same ones are given at each start. */
const directories = new WeakMap<KnownEntries, KnownDirectory>();

function asDirectory(known: KnownEntries): KnownDirectory {
  let directory = directories.get(known);
  if (directory === undefined) {
    directory = { path: toBytes(known.path), entries: Array.from(known.entries, ([name, identity]) => [toBytes(name), identity] as const) };
    directories.set(known, directory);
  }
  return directory;
}

const toBytes = (path: string) => Buffer.from(path, 'latin1');

/** The kernel's value, 0 where there is none, or -errno for what sys throws. */
function result(call: () => unknown): number {
  try {
    const value = call();
    return typeof value === 'number' ? value : 0;
  } catch (error) {
    if (error instanceof SyscallError) return error.errno;
    throw error;
  }
}

function withPidfd<T>(pidfd: number, use: (pidfd: number) => T): T {
  try {
    return use(pidfd);
  } finally {
    close(pidfd);
  }
}

/** A thread may have a descriptor table of its own, so it is asked for first; before 6.9 its process is all there is. */
function openThread(tid: number): number {
  try {
    return pidfdOpen(tid, PIDFD_THREAD);
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'EINVAL') return openProcess(tid);
    throw error;
  }
}

/** pidfd_open(2) takes leaders only: EINVAL for other threads, ENOENT in newer kernels. */
function openProcess(tid: number): number {
  try {
    return pidfdOpen(tid);
  } catch (error) {
    if (!(error instanceof SyscallError) || (error.code !== 'EINVAL' && error.code !== 'ENOENT')) throw error;
    return pidfdOpen(leaderOf(tid));
  }
}

function leaderOf(tid: number): number {
  try {
    const leader = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${tid}/status`, 'latin1'))?.[1];
    if (leader !== undefined) return Number(leader);
  } catch {
    // gone, or /proc is not there
  }
  throw new SyscallError('pidfd_open', -ESRCH);
}

function makeFile(content: Uint8Array, seal: boolean): number {
  const fd = memfdCreate('sandlock', MFD_CLOEXEC | MFD_ALLOW_SEALING);
  try {
    // At positions of our own, so that the offset stays 0 for the target.
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at, content.length - at, at);
  } catch {
    close(fd);
    return -EIO;
  }
  try {
    if (seal) addSeals(fd, F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
  } catch {
    // The content is the answer; sealing only keeps readers from changing each other's copy.
  }
  return fd;
}
