/**
 * The listener, as the supervisor needs it.
 *
 * Everything that reaches the kernel or a target goes through here, so that the supervisor runs
 * the same over a kernel's listener and over a fake one. Results are the kernel's value or -errno;
 * nothing here throws for what the kernel says.
 * seccomp_unotify(2)
 */
import type { Screening } from './paths-of-concern.js';

export interface Listener {
  /** The descriptor, if there is one: never a source of injections. */
  readonly fd: number | undefined;
  /** Whether answering wakes the target on our own processor: seven times faster. Linux 6.6. */
  readonly syncWakeUp: boolean;

  /**
   * Calls back for each notification, which is in `buffer` until the next.
   *
   * @param onReceived  gets 1; -EPIPE: no task uses the filter any more; or another -errno
   */
  start(buffer: Buffer, onReceived: (received: number) => void): void;
  /** Closes the listener. Calls that still wait fail with ENOSYS, as do all later ones. */
  close(): void;
  /** Whether waiting keeps the event loop alive. */
  ref(): void;
  unref(): void;

  /**
   * Answers calls that concern nobody with `continue` from the start, instead of handing them out. Optional: what is not
   * spared is handed out.
   */
  screen?(arch: number, screening: Screening): void;
  /** How many calls with this number were answered so. */
  screened?(nr: number): number;

  send(id: bigint, value: bigint, error: number, flags: number): number;
  addFd(id: bigint, flags: number, srcFd: number, newFd: number, newFdFlags: number): number;
  /** 0 while the call waits, -ENOENT after. */
  idValid(id: bigint): number;

  readMemory(pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number): number;
  writeMemory(pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number): number;
  /** A close-on-exec copy of a descriptor of the task, or -errno. */
  dupFd(pid: number, targetFd: number): number;

  /** A descriptor of a new anonymous file with this content, offset 0, or -errno. */
  makeFile(content: Uint8Array, seal: boolean): number;
  closeFd(fd: number): void;

  /** The process group of a task, or -errno. */
  getpgid(pid: number): number;
  /** Signals the process of a thread, provided `stillThere` holds once the process is pinned. 0 or -errno. */
  signalTask(pid: number, signal: number, stillThere: () => boolean): number;
  /** 0 or -errno. */
  signalGroup(pgid: number, signal: number): number;
}
