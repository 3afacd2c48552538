/**
 * The errors of this package.
 *
 * Two classes, told apart by where a mistake was made: in what was registered, or in an action that a
 * handler built. What a target does wrong is never one of them; that is answered with an errno.
 */
import { SandlockError } from '@sandlock/sys';

export type HandlerErrorCode =
  | 'ERR_SANDLOCK_HANDLER_NEGATIVE'
  | 'ERR_SANDLOCK_HANDLER_UNKNOWN_NUMBER'
  | 'ERR_SANDLOCK_HANDLER_UNKNOWN_NAME'
  | 'ERR_SANDLOCK_HANDLER_BLOCKLISTED'
  | 'ERR_SANDLOCK_HANDLER_TOO_MANY'
  | 'ERR_SANDLOCK_HANDLER_CONDITION'
  | 'ERR_SANDLOCK_HANDLER_SEALED'
  | 'ERR_SANDLOCK_HANDLER_DISPOSE'
  | 'ERR_SANDLOCK_HANDLER_PATH_ARGUMENT'
  | 'ERR_SANDLOCK_HANDLER_RESULT'
  | 'ERR_SANDLOCK_HANDLER_TIME'
  | 'ERR_SANDLOCK_HANDLER_KILL_TARGET';

/** Something about a handler: its registration, its disposal, or what it did in its turn. */
export class HandlerError extends SandlockError {
  declare readonly code: HandlerErrorCode;
  /** The name or number that was given, where the error is about one system call. */
  readonly syscall: string | number | undefined;
  /** What the handlers' `dispose` threw, in order (ERR_SANDLOCK_HANDLER_DISPOSE). */
  readonly errors: readonly unknown[];

  constructor(
    code: HandlerErrorCode,
    message: string,
    details: { syscall?: string | number; errors?: readonly unknown[]; cause?: unknown } = {},
  ) {
    super(code, message, 'cause' in details ? { cause: details.cause } : {});
    this.syscall = details.syscall;
    this.errors = details.errors ?? [];
  }
}

export type ActionErrorCode =
  | 'ERR_SANDLOCK_ACTION_ERRNO'
  | 'ERR_SANDLOCK_ACTION_VALUE'
  | 'ERR_SANDLOCK_ACTION_FD'
  | 'ERR_SANDLOCK_ACTION_FLAGS'
  | 'ERR_SANDLOCK_ACTION_SIGNAL'
  | 'ERR_SANDLOCK_ACTION_TIME'
  | 'ERR_SANDLOCK_ACTION_ARGUMENT';

/** An action that cannot be: an errno out of range, a descriptor that is closed, an unknown flag. */
export class ActionError extends SandlockError {
  declare readonly code: ActionErrorCode;

  constructor(code: ActionErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/** A value of the wrong type where a handler or a system call was expected: a plain TypeError, with a code. */
export function handlerTypeError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_SANDLOCK_HANDLER_TYPE' as const });
}

export type SupervisorErrorCode = 'ERR_SANDLOCK_SUPERVISOR_LISTENER' | 'ERR_SANDLOCK_SUPERVISOR_STATE';

/** The supervisor itself cannot go on: its listener failed, or it was used out of order. */
export class SupervisorError extends SandlockError {
  declare readonly code: SupervisorErrorCode;

  constructor(code: SupervisorErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
