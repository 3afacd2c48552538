/**
 * What access to a target comes to: the value, or why not.
 *
 * The reasons must stay apart, since each has its own answer. A bad pointer is the target's own EFAULT.
 * Lost access must be a denial: a program that can blind its supervisor must not be let through for it.
 * A call that is gone needs no answer, so any will do.
 */
import { action, type ErrnoAction } from './action.js';

export type FailureReason =
  /** Nothing is mapped there, or not with the access wanted. */
  | 'fault'
  /** The call does not wait any more. */
  | 'gone'
  /** The kernel does not let us: the program is not dumpable, for example. */
  | 'noAccess'
  /** No NUL within the budget. */
  | 'truncated'
  /** The length is beyond what a supervisor copies. */
  | 'tooLarge'
  /** A structure that the kernel would refuse. */
  | 'invalid'
  /** A structure with fields that nobody here knows. */
  | 'unknownFields'
  /** The target has no such descriptor. */
  | 'badFd'
  /** The supervisor has no descriptors left. */
  | 'exhausted'
  /** The handler has ended; its context is inert. */
  | 'ended';

const ERRNO = {
  fault: 'EFAULT',
  gone: 'EACCES',
  noAccess: 'EACCES',
  truncated: 'ENAMETOOLONG',
  tooLarge: 'EINVAL',
  invalid: 'EINVAL',
  unknownFields: 'E2BIG',
  badFd: 'EBADF',
  exhausted: 'EACCES',
  ended: 'EACCES',
} as const satisfies Record<FailureReason, string>;

export class TargetFailure {
  readonly ok = false;

  constructor(readonly reason: FailureReason) {
    Object.freeze(this);
  }

  /** What to answer with when a decision needed this: what the kernel would say itself, or a denial. */
  get errno(): (typeof ERRNO)[FailureReason] {
    return ERRNO[this.reason];
  }

  /** `action.errno(this.errno)`: `if (!path.ok) return path.deny();` */
  deny(): ErrnoAction {
    return action.errno(this.errno);
  }
}

const failures = new Map<FailureReason, TargetFailure>();

export function failure(reason: FailureReason): TargetFailure {
  let known = failures.get(reason);
  if (known === undefined) failures.set(reason, (known = new TargetFailure(reason)));
  return known;
}

export type MemoryBytes = { readonly ok: true; readonly bytes: Buffer } | TargetFailure;
export type MemoryWritten = { readonly ok: true } | TargetFailure;
export type DupFd = { readonly ok: true; readonly fd: number } | TargetFailure;

export type TargetString = {
  readonly ok: true;
  /** Without the NUL. */
  readonly bytes: Buffer;
  /**
   * The bytes as a string that loses nothing: UTF-8, and each byte that is not UTF-8 as the lone
   * surrogate U+DC00 + byte. `losslessBytes(text)` gives the bytes back.
   */
  readonly text: string;
  readonly isUtf8: boolean;
} | TargetFailure;
