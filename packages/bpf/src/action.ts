/**
 * Actions: what a filter decides, as plain data, and the 32 bits that say it to the kernel.
 *
 * The upper half of a return value is the action, the lower half its data: an errno, a number for a tracer
 * or for si_errno of SIGSYS. seccomp(2), "Filter return values"; include/uapi/linux/seccomp.h.
 */
import { errnoName, errnoNumber, type ErrnoName, isErrnoName, MAX_ERRNO } from './errno.js';
import { FilterError } from './filter-error.js';
import { showValue } from './show-value.js';

export const SECCOMP_RET_KILL_PROCESS = 0x80000000;
export const SECCOMP_RET_KILL_THREAD = 0x00000000;
export const SECCOMP_RET_TRAP = 0x00030000;
export const SECCOMP_RET_ERRNO = 0x00050000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000;
export const SECCOMP_RET_TRACE = 0x7ff00000;
export const SECCOMP_RET_LOG = 0x7ffc0000;
export const SECCOMP_RET_ALLOW = 0x7fff0000;
export const SECCOMP_RET_ACTION_FULL = 0xffff0000;
export const SECCOMP_RET_DATA = 0x0000ffff;

export type Action =
  | { readonly type: 'allow' }
  /** Allowed, and written to the audit log. Linux 4.14. */
  | { readonly type: 'log' }
  /** Fails with this errno; 0 makes the call return 0 without having happened. */
  | { readonly type: 'errno'; readonly errno: number }
  /** Asks the listener of the filter. Linux 5.0. */
  | { readonly type: 'userNotif' }
  /** SIGSYS to the thread, data in si_errno. */
  | { readonly type: 'trap'; readonly data: number }
  /** A PTRACE_EVENT_SECCOMP stop, data in PTRACE_GETEVENTMSG; ENOSYS without a tracer. */
  | { readonly type: 'trace'; readonly data: number }
  | { readonly type: 'killThread' }
  /** Linux 4.14. */
  | { readonly type: 'killProcess' };

export const allow = (): Action => ({ type: 'allow' });
export const log = (): Action => ({ type: 'log' });
export const userNotif = (): Action => ({ type: 'userNotif' });
export const killThread = (): Action => ({ type: 'killThread' });
export const killProcess = (): Action => ({ type: 'killProcess' });
/** @param data 0 to 65535 */
export const trap = (data = 0): Action => checked({ type: 'trap', data });
/** @param data 0 to 65535 */
export const trace = (data = 0): Action => checked({ type: 'trace', data });

/** @param errno a name, or a number from 0 to 4095 */
export function errno(errno: number | ErrnoName): Action {
  if (typeof errno === 'number') return checked({ type: 'errno', errno });
  if (!isErrnoName(errno)) {
    throw new FilterError('ERR_SANDLOCK_FILTER_ACTION', `${showValue(errno)} is no errno name; try 'EPERM'.`);
  }
  return { type: 'errno', errno: errnoNumber(errno) };
}

/**
 * The 32-bit return value of an action.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_ACTION
 */
export function encodeAction(action: Action, path?: string): number {
  if (typeof action !== 'object' || action === null) throw badAction(action, path);
  switch (action.type) {
    case 'allow': return SECCOMP_RET_ALLOW;
    case 'log': return SECCOMP_RET_LOG;
    case 'userNotif': return SECCOMP_RET_USER_NOTIF;
    case 'killThread': return SECCOMP_RET_KILL_THREAD;
    case 'killProcess': return SECCOMP_RET_KILL_PROCESS;
    // The kernel would clamp a larger errno, so it would not be the one that was asked for.
    case 'errno': return SECCOMP_RET_ERRNO | data(action.errno, MAX_ERRNO, 'errno', path);
    case 'trap': return SECCOMP_RET_TRAP | data(action.data, SECCOMP_RET_DATA, 'data', path);
    case 'trace': return SECCOMP_RET_TRACE | data(action.data, SECCOMP_RET_DATA, 'data', path);
    default: throw badAction((action as { type?: unknown }).type, path);
  }
}

/**
 * The action a return value stands for. An action that the kernel does not know kills the process:
 * kernel/seccomp.c, __seccomp_filter(), the default case.
 */
export function decodeAction(value: number): Action {
  const lower = value & SECCOMP_RET_DATA;
  switch ((value & SECCOMP_RET_ACTION_FULL) >>> 0) {
    case SECCOMP_RET_ALLOW: return { type: 'allow' };
    case SECCOMP_RET_LOG: return { type: 'log' };
    case SECCOMP_RET_USER_NOTIF: return { type: 'userNotif' };
    case SECCOMP_RET_KILL_THREAD: return { type: 'killThread' };
    case SECCOMP_RET_ERRNO: return { type: 'errno', errno: Math.min(lower, MAX_ERRNO) };
    case SECCOMP_RET_TRAP: return { type: 'trap', data: lower };
    case SECCOMP_RET_TRACE: return { type: 'trace', data: lower };
    default: return { type: 'killProcess' };
  }
}

/** `ALLOW`, `ERRNO(EPERM)`, `TRACE(7)`: the kernel's word for a return value. */
export function showAction(value: number): string {
  const action = decodeAction(value);
  switch (action.type) {
    case 'errno': return `ERRNO(${errnoName(action.errno) ?? action.errno})`;
    case 'trap': return action.data === 0 ? 'TRAP' : `TRAP(${action.data})`;
    case 'trace': return action.data === 0 ? 'TRACE' : `TRACE(${action.data})`;
    default: return action.type.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  }
}

function checked(action: Action): Action {
  encodeAction(action);
  return action;
}

function data(value: number, max: number, name: string, path: string | undefined): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new FilterError('ERR_SANDLOCK_FILTER_ACTION',
    `${showValue(value)} is not a whole number from 0 to ${max}.`,
    { path: path === undefined ? undefined : `${path}.${name}` });
}

function badAction(value: unknown, path: string | undefined): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_ACTION',
    `${showValue(value)} is no action; use allow(), log(), errno(n), userNotif(), trap(), trace(), `
    + 'killThread() or killProcess().', { path });
}
