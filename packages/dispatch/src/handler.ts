/**
 * Handlers: what is registered for a system call, and what it is given.
 *
 * A handler that returns an action answers inline; one that returns a promise is deferred. The
 * distinction is by what is returned, never by how the handler was declared.
 */
import type { ArgCondition } from '@sandlock/bpf';

import type { NotifAction } from './action.js';
import { handlerTypeError } from './errors.js';
import type { Notification } from './notification.js';
import type { SyscallLike } from './syscall.js';
import type { DupFd, MemoryBytes, MemoryWritten, TargetString } from './target-result.js';

/** What a target is told when its handler fails. `continue` fails open and is for observers alone. */
export type ExceptionPolicy = 'kill' | 'denyEperm' | 'denyEio' | 'continue';

export const EXCEPTION_POLICIES: readonly ExceptionPolicy[] = ['kill', 'denyEperm', 'denyEio', 'continue'];

/** What finally became of a notification. */
export interface Outcome {
  /** False when the target was gone, or its call interrupted, before the answer reached it. */
  readonly delivered: boolean;
  /** What was sent last; an injection that failed is an errno here. */
  readonly kind: 'continue' | 'errno' | 'returnValue' | 'fd';
  /** Positive, with kind 'errno'. */
  readonly errno: number | undefined;
  /** The target's descriptor number, with kind 'fd'. */
  readonly fd: number | undefined;
}

/**
 * A notification as its handler sees it.
 *
 * It lives while the handler runs: until it returns, or until its promise settles. After that every
 * helper answers with a failure of reason 'ended' and {@link isValid} with false; nothing is touched.
 */
export interface HandlerContext extends Notification {
  /** True while the thread still waits in exactly this call. */
  isValid(): boolean;
  /**
   * Copies memory of the target. May be shorter than asked where the range runs into an unmapped page;
   * a failure when the first byte is unmapped.
   *
   * @param length at most 16 MiB; more is a failure of reason 'tooLarge', since it is often the target's number
   * @see process_vm_readv(2)
   */
  readMemory(address: bigint, length: number | bigint): MemoryBytes;
  /**
   * A string that ends with NUL within `maxLength` bytes (the NUL included). Without one it is no string:
   * a failure of reason 'truncated', never the prefix.
   */
  readCString(address: bigint, maxLength: number): TargetString;
  /**
   * The path argument of this call. Inferred for calls that take one path; two-path calls and calls
   * without a path need the index, and throw a HandlerError (ERR_SANDLOCK_HANDLER_PATH_ARGUMENT) without it.
   * What it says is an observation: another thread may change the bytes before the kernel reads them.
   */
  readPath(argIndex?: number): TargetString;
  /** Writes all of `data` into the target or reports a failure; page protection is honoured. */
  writeMemory(address: bigint, data: Uint8Array): MemoryWritten;
  /**
   * A copy of the target's descriptor; the caller closes it. What it is a copy of, the target chooses: closing one of a
   * file releases every fcntl(2) lock that this process holds on it, and closing the last one of a socket may wait for
   * as long as its SO_LINGER says. Where a socket is all that is wanted, see TargetSocket of @sandlock/sys.
   * @see pidfd_getfd(2)
   */
  dupFd(fd: number | bigint): DupFd;
  /** Fires when the answer is no longer wanted: the target is gone, time ran out, the supervisor closes. */
  readonly signal: AbortSignal;
  /**
   * Calls back once, right after the answer was sent or could not be: the place to undo what a handler
   * did in the hope that the call goes ahead.
   */
  onOutcome(callback: (outcome: Outcome) => void): void;
}

export type HandlerResult = NotifAction | PromiseLike<NotifAction>;

export type HandlerFunction = (context: HandlerContext) => HandlerResult;

export interface HandlerObject {
  handle(context: HandlerContext): HandlerResult;
  /** What happens when `handle` throws, rejects, returns something else or takes too long. Default: 'kill'. */
  readonly onException?: ExceptionPolicy;
  /** Called once a run, after the loop has ended, also when the run never started. */
  dispose?(): void | PromiseLike<void>;
  /** `handle` is called as deferred work: only once a slot is free, and not at all on exec and fork calls. */
  readonly deferred?: boolean;
  /** A deferred `continue` of this handler ends the chain; without it the next handler is asked. */
  readonly terminal?: boolean;
}

export type Handler = HandlerFunction | HandlerObject;

/** A condition on register arguments, or several that must all hold. */
export type When = ArgCondition | readonly ArgCondition[];

export interface HandlerOptions {
  /** Wins over the handler object's own. */
  readonly onException?: ExceptionPolicy;
  /** The handler is asked, and the call notified, only when these hold. Left out: always. */
  readonly when?: When;
  /**
   * Left out, rather than refused, where the architecture lacks the call or the filter denies it anyway. For
   * lists of all spellings of an operation. A name that no architecture has is still refused.
   */
  readonly optional?: boolean;
}

/** A handler with what it is for, as plain data: nothing is registered yet. */
export interface HandlerBinding extends HandlerOptions {
  readonly syscall: SyscallLike;
  readonly handler: Handler;
}

/**
 * Binds a handler to a system call.
 *
 * @example on('openat', (context) => action.errno('EACCES'), { onException: 'denyEperm' })
 * @throws {TypeError} the handler is neither a function nor an object with `handle`
 */
export function on(syscall: SyscallLike, handler: Handler, options: HandlerOptions = {}): HandlerBinding {
  checkHandler(handler);
  checkPolicy(options.onException);
  return Object.freeze({ syscall, handler, ...options });
}

export function checkHandler(handler: unknown): asserts handler is Handler {
  if (typeof handler === 'function') return;
  if (typeof handler !== 'object' || handler === null || typeof (handler as HandlerObject).handle !== 'function') {
    throw handlerTypeError(`A handler is a function or an object with handle(), not ${describe(handler)}.`);
  }
  checkPolicy((handler as HandlerObject).onException);
  const { dispose } = handler as HandlerObject;
  if (dispose !== undefined && typeof dispose !== 'function') throw handlerTypeError('dispose is a function.');
}

export function checkPolicy(policy: unknown): asserts policy is ExceptionPolicy | undefined {
  if (policy !== undefined && !EXCEPTION_POLICIES.includes(policy as ExceptionPolicy)) {
    throw handlerTypeError(`onException is one of ${EXCEPTION_POLICIES.join(', ')}, not ${describe(policy)}.`);
  }
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object without it' : String(value);
}
