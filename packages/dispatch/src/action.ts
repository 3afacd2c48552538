/**
 * Actions: what a handler answers with.
 *
 * They are frozen, made by the factories of {@link action} alone, and checked there, since the kernel
 * does not: an error of 0 would make a call succeed, a positive one would be its result.
 * seccomp_unotify(2), SECCOMP_IOCTL_NOTIF_SEND and SECCOMP_IOCTL_NOTIF_ADDFD.
 */
import { errnoName, O_CLOEXEC, type ErrnoName } from '@sandlock/sys';
import { constants } from 'node:os';

import { ActionError } from './errors.js';
import type { HandlerContext } from './handler.js';
import { checkedFd, OwnedFd, type FdSource } from './owned-fd.js';

/** Highest errno of the kernel's error range. include/linux/err.h, MAX_ERRNO. */
const MAX_ERRNO = 4095;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The brand: an object that merely looks like an action is none. */
abstract class ActionBase {
  readonly #genuine = true;
  abstract readonly kind: string;

  static isAction(value: unknown): value is NotifAction {
    return typeof value === 'object' && value !== null && #genuine in value;
  }

  /** Closes the descriptor that the action owns, if any. For an action that is not going to be returned. */
  discard(): void {}
}

export class ContinueAction extends ActionBase {
  readonly kind = 'continue';
}

export class ErrnoAction extends ActionBase {
  readonly kind = 'errno';
  constructor(readonly errno: number) { super(); }
}

export class ReturnValueAction extends ActionBase {
  readonly kind = 'returnValue';
  constructor(readonly value: bigint) { super(); }
}

export class InjectFdAction extends ActionBase {
  readonly kind = 'injectFd';
  constructor(readonly srcFd: number, readonly targetFd: number, readonly newFdFlags: number) { super(); }
}

export class InjectFdSendAction extends ActionBase {
  readonly kind = 'injectFdSend';
  constructor(
    readonly owned: OwnedFd,
    readonly newFdFlags: number,
    readonly at: WishedFd | undefined,
    readonly onInjected: ((targetFd: number) => void) | undefined,
  ) { super(); }

  override discard(): void {
    this.owned.close();
  }
}

/** A number of the target, or what tells it at the moment when a descriptor is put there; undefined: none is free. */
export type TargetFd = number | (() => number | undefined);

/** The number that a descriptor is to have in the target, and whether another will do. */
export interface WishedFd {
  readonly targetFd: TargetFd;
  readonly orLowest: boolean;
}

export interface InjectFdSendOptions {
  readonly srcFd: FdSource;
  /** Default O_CLOEXEC. */
  readonly newFdFlags?: number;
  /**
   * The target's number; what is there is closed. Default: the lowest free one. A function is asked when the action is answered
   * with, so that of several that were made before none gets a number that another has by then.
   */
  readonly targetFd?: TargetFd;
  /** Whether the lowest free number will do where `targetFd` is beyond the target's limit, just being taken, or gives none. Default: EMFILE. */
  readonly orLowest?: boolean;
}

export class InjectBytesAction extends ActionBase {
  readonly kind = 'injectBytes';
  constructor(readonly data: Uint8Array, readonly seal: boolean, readonly newFdFlags: number) { super(); }
}

export class KillAction extends ActionBase {
  readonly kind = 'kill';
  constructor(readonly signal: number, readonly target: KillTarget) { super(); }
}

export class HoldAction extends ActionBase {
  readonly kind = 'hold';
  constructor(readonly limitMs: number | undefined) { super(); }
}

export class DeferAction extends ActionBase {
  readonly kind = 'defer';
  constructor(readonly work: DeferredWork, readonly limitMs: number | undefined, readonly otherwise: Refusal | undefined) { super(); }
}

/** The caller's process, its process group, or a group by number (which must belong to the sandbox). */
export type KillTarget = 'task' | 'group' | number;

/** What a deferred answer is worked out by. The signal fires when the answer is no longer wanted. */
export type DeferredWork = (context: HandlerContext, signal: AbortSignal) => PromiseLike<NotifAction> | NotifAction;

/** What the caller gets where an answer cannot be waited for. */
export type Refusal = ErrnoAction | ReturnValueAction;

export interface DeferOptions {
  /** How long the answer may take. Default: the supervisor's limit. */
  readonly limitMs?: number;
  /**
   * The answer where there is no place to wait (EAGAIN by default), or where time is up or the supervisor closes (EIO): for calls whose
   * callers know another no, as those of brk(2) do, who take every other number for an address.
   */
  readonly otherwise?: Refusal;
}

export type NotifAction =
  | ContinueAction | ErrnoAction | ReturnValueAction | InjectFdAction | InjectFdSendAction
  | InjectBytesAction | KillAction | HoldAction | DeferAction;

export const isAction: (value: unknown) => value is NotifAction = (value) => ActionBase.isAction(value);

function frozen<T extends NotifAction>(made: T): T {
  Object.freeze(made);
  return made;
}

const CONTINUE = frozen(new ContinueAction());
/** Errno actions carry nothing of their own, so one of each serves all. */
const errnoActions = new Map<number | string, ErrnoAction>();

function errno(error: ErrnoName | number): ErrnoAction {
  const known = errnoActions.get(error);
  if (known !== undefined) return known;
  const made = frozen(new ErrnoAction(checkedErrno(error)));
  errnoActions.set(error, made);
  return made;
}

function checkedErrno(error: ErrnoName | number): number {
  const number: unknown = typeof error === 'string' ? (constants.errno as Record<string, unknown>)[error] : error;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1 || number > MAX_ERRNO) {
    throw new ActionError('ERR_SANDLOCK_ACTION_ERRNO',
      `An errno is a name such as 'EACCES' or a number from 1 to ${MAX_ERRNO}, not ${String(error)}.`);
  }
  return number;
}

/** Results are mostly small: 0, a count, a descriptor. One action of each serves all. */
const smallValues: (ReturnValueAction | undefined)[] = new Array<undefined>(1024).fill(undefined);

function returnValue(value: number | bigint, options: { allowErrnoRange?: boolean } = {}): ReturnValueAction {
  const small = typeof value === 'number' ? smallValues[value] : undefined;
  if (small !== undefined) return small;
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
    throw new ActionError('ERR_SANDLOCK_ACTION_VALUE', `A return value is an integer, not ${String(value)}.`);
  }
  const raw = BigInt(value);
  if (raw < INT64_MIN || raw > INT64_MAX) {
    throw new ActionError('ERR_SANDLOCK_ACTION_VALUE', `Return value ${raw} does not fit 64 signed bits.`);
  }
  if (raw < 0n && raw >= BigInt(-MAX_ERRNO) && options.allowErrnoRange !== true) {
    const name = errnoName(Number(-raw));
    throw new ActionError('ERR_SANDLOCK_ACTION_VALUE',
      `The target reads return value ${raw} as an error${name === undefined ? '' : ` (${name})`}; `
      + 'use action.errno(), or pass { allowErrnoRange: true } if it is meant.');
  }
  const made = frozen(new ReturnValueAction(raw));
  if (typeof value === 'number' && value >= 0 && value < smallValues.length) smallValues[value] = made;
  return made;
}

function injectFd(options: { srcFd: number; targetFd: number; newFdFlags?: number }): InjectFdAction {
  const targetFd = checkedTargetFd(options.targetFd);
  return frozen(new InjectFdAction(checkedFd(options.srcFd), targetFd, checkedFdFlags(options.newFdFlags ?? 0)));
}

function injectFdSend(options: InjectFdSendOptions): InjectFdSendAction {
  return owning(options, undefined);
}

function injectFdSendTracked(
  options: InjectFdSendOptions & { readonly onInjected: (targetFd: number) => void },
): InjectFdSendAction {
  return owning(options, options.onInjected, true);
}

/** The descriptor was handed over with the call, so it is closed also when something else is refused. */
function owning(
  options: InjectFdSendOptions, onInjected: ((targetFd: number) => void) | undefined, tracked = false,
): InjectFdSendAction {
  const owned = new OwnedFd(options.srcFd);
  try {
    const flags = checkedFdFlags(options.newFdFlags ?? O_CLOEXEC);
    const at = options.targetFd === undefined ? undefined
      : Object.freeze({
        targetFd: typeof options.targetFd === 'function' ? options.targetFd : checkedTargetFd(options.targetFd),
        orLowest: options.orLowest ?? false,
      });
    if (tracked && typeof onInjected !== 'function') {
      throw new ActionError('ERR_SANDLOCK_ACTION_ARGUMENT', 'injectFdSendTracked needs onInjected, a function.');
    }
    return frozen(new InjectFdSendAction(owned, flags, at, onInjected));
  } catch (error) {
    owned.close();
    throw error;
  }
}

/** @throws {ActionError} ERR_SANDLOCK_ACTION_FD */
export function checkedTargetFd(targetFd: number): number {
  if (Number.isInteger(targetFd) && targetFd >= 0 && targetFd <= 0x7fffffff) return targetFd;
  throw new ActionError('ERR_SANDLOCK_ACTION_FD', `targetFd is a descriptor number, not ${String(targetFd)}.`);
}

function injectBytes(
  data: Uint8Array | string,
  options: { seal?: boolean; cloexec?: boolean } = {},
): InjectBytesAction {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
    throw new ActionError('ERR_SANDLOCK_ACTION_ARGUMENT', 'injectBytes takes a string or a Uint8Array.');
  }
  const copy = typeof data === 'string' ? Buffer.from(data, 'utf8') : Uint8Array.prototype.slice.call(data);
  return frozen(new InjectBytesAction(copy, options.seal ?? true, (options.cloexec ?? true) ? O_CLOEXEC : 0));
}

function kill(options: { signal: number; target: KillTarget }): KillAction {
  const { signal, target } = options;
  if (!Number.isInteger(signal) || signal < 1 || signal > 64) {
    throw new ActionError('ERR_SANDLOCK_ACTION_SIGNAL', `A signal is a number from 1 to 64, not ${String(signal)}.`);
  }
  if (target !== 'task' && target !== 'group' && !(Number.isInteger(target) && target > 1)) {
    throw new ActionError('ERR_SANDLOCK_ACTION_ARGUMENT',
      `A kill target is 'task', 'group' or a process group above 1, not ${String(target)}.`);
  }
  return frozen(new KillAction(signal, target));
}

function hold({ limitMs }: { limitMs?: number } = {}): HoldAction {
  return frozen(new HoldAction(checkedLimit(limitMs)));
}

function defer(work: DeferredWork, { limitMs, otherwise }: DeferOptions = {}): DeferAction {
  if (typeof work !== 'function') throw new ActionError('ERR_SANDLOCK_ACTION_ARGUMENT', 'defer takes a function.');
  if (otherwise !== undefined && !(otherwise instanceof ErrnoAction || otherwise instanceof ReturnValueAction)) {
    throw new ActionError('ERR_SANDLOCK_ACTION_ARGUMENT', 'otherwise is an action.errno() or an action.returnValue().');
  }
  return frozen(new DeferAction(work, checkedLimit(limitMs), otherwise));
}

function checkedLimit(limitMs: number | undefined): number | undefined {
  if (limitMs === undefined || (typeof limitMs === 'number' && limitMs > 0)) return limitMs;
  throw new ActionError('ERR_SANDLOCK_ACTION_TIME', `limitMs is a positive number or Infinity, not ${String(limitMs)}.`);
}

// include/uapi/linux/seccomp.h: newfd_flags takes O_CLOEXEC and nothing else, EINVAL otherwise.
function checkedFdFlags(flags: number): number {
  if (flags !== 0 && flags !== O_CLOEXEC) {
    throw new ActionError('ERR_SANDLOCK_ACTION_FLAGS', `newFdFlags is 0 or O_CLOEXEC (${O_CLOEXEC}), not ${String(flags)}.`);
  }
  return flags;
}

export const action = Object.freeze({
  /**
   * Not mine: the next handler is asked, and after the last one the kernel runs the call, reading all
   * pointers anew. That is no permission; it leaves the call to Landlock and the filter.
   */
  continue: (): ContinueAction => CONTINUE,
  /** The call fails with this errno and is not run. @throws {ActionError} ERR_SANDLOCK_ACTION_ERRNO */
  errno,
  /** The call returns this value and is not run. @throws {ActionError} ERR_SANDLOCK_ACTION_VALUE */
  returnValue,
  /**
   * Puts `srcFd` at number `targetFd` of the target, replacing what is there, then lets the call run. The
   * caller keeps `srcFd` and keeps it open until the answer is sent. EACCES when it cannot be installed.
   */
  injectFd,
  /**
   * Installs `srcFd` at the lowest free number, or at `targetFd`, which becomes the call's result, in one step. The
   * action owns `srcFd` from here on and closes it. `newFdFlags` is for the target's number: O_CLOEXEC unless 0 is given.
   */
  injectFdSend,
  /** As injectFdSend; `onInjected` gets the target's number once, before any later notification is handled. */
  injectFdSendTracked,
  /**
   * The call returns a descriptor of a new anonymous file with these bytes, at offset 0: sealed against
   * writing and close-on-exec unless told otherwise. A fresh file for every answer, so the action may be
   * kept and returned again. EIO when the file cannot be made.
   */
  injectBytes,
  /** The same as {@link injectBytes}. */
  bytes: injectBytes,
  /** Signals the target, then answers ENOMEM. A group that is ours, unknown or not the sandbox's is refused. */
  kill,
  /** No answer yet: the thread stays parked until `supervisor.release()` or the time limit (EPERM). */
  hold,
  /**
   * The answer comes from `work`, off the loop. The same as returning a promise, but `work` starts only in a free slot,
   * and may have another time limit than the supervisor's: Infinity for a call that waits for others.
   */
  defer,
});
