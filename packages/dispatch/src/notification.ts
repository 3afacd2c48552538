/**
 * A notification: the kernel's record of one system call that waits for its answer.
 *
 * The record arrives in a buffer that the next receive overwrites, so everything is read out of it at
 * once. Register values are the kernel's own copies: the target cannot change them any more. What they
 * point at it can.
 * seccomp_unotify(2), struct seccomp_notif.
 */

/** sizeof(struct seccomp_notif); SECCOMP_GET_NOTIF_SIZES says the same on every kernel so far. */
export const NOTIFICATION_BYTES = 80;

export interface Notification {
  /** Unique for this listener, never used again. */
  readonly id: bigint;
  /** A *thread* id: of the thread that made the call, not of its process. 0 where we cannot see the task. */
  readonly pid: number;
  readonly flags: number;
  readonly nr: number;
  /** The call's name on the running architecture. */
  readonly name: string;
  /** AUDIT_ARCH_*. */
  readonly arch: number;
  readonly instructionPointer: bigint;
  /** Six unsigned 64-bit register values, whatever number of arguments the call has. */
  readonly args: readonly bigint[];
}

/** The reused receive buffer, seen in the widths of its fields. All supported architectures are little endian. */
export class NotificationBuffer {
  readonly bytes: Buffer;
  readonly words: BigUint64Array;
  readonly halves: Int32Array;

  constructor() {
    const memory = new ArrayBuffer(NOTIFICATION_BYTES);
    this.bytes = Buffer.from(memory);
    this.words = new BigUint64Array(memory);
    this.halves = new Int32Array(memory);
  }

  get nr(): number {
    return this.halves[4]!;
  }

  get arch(): number {
    return this.halves[5]! >>> 0;
  }
}
