/**
 * Errors.
 *
 * One base for everything Sandlock throws, and the form a refusal of the kernel takes. What a caller matches on is
 * `code`, which is API; the message is for people.
 */
import { constants } from 'node:os';

/** Base of all errors of the `@sandlock` packages. */
export class SandlockError extends Error {
  override readonly name: string;

  /**
   * @param code     stable, `ERR_SANDLOCK_...` or an errno name
   * @param message  what happened, the value, the limit and what to do
   */
  constructor(readonly code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Names of errno(3) on this machine. */
export type ErrnoName = keyof typeof constants.errno;

const namesByNumber = new Map<number, ErrnoName>();
for (const [name, number] of Object.entries(constants.errno)) {
  // Two names share EAGAIN's and EOPNOTSUPP's number; the kernel's headers define the first of each.
  if (name !== 'EWOULDBLOCK' && name !== 'ENOTSUP') namesByNumber.set(number, name as ErrnoName);
}

/** `'EACCES'` -> 13; undefined for a name this machine does not have. */
export function errnoNumber(name: string): number | undefined {
  return (constants.errno as Record<string, number>)[name];
}

/** 13 or -13 -> `'EACCES'`; undefined for a number without a name. */
export function errnoName(errno: number): ErrnoName | undefined {
  return namesByNumber.get(Math.abs(errno));
}

/** The kernel said no. Has the fields of Node's own system errors: `code` ('ESRCH'), `errno` (negative), `syscall`. */
export class SyscallError extends SandlockError {
  /**
   * @param syscall  its name, as in the manual
   * @param errno    positive or negative
   * @param detail   what it was asked for, such as a path
   */
  constructor(readonly syscall: string, errno: number, detail?: string) {
    const code = errnoName(errno) ?? `E${Math.abs(errno)}`;
    super(code, `${code}: ${syscall}${detail === undefined ? '' : ` ${detail}`}`);
    this.errno = -Math.abs(errno);
  }

  readonly errno: number;
}

/** The value of a system call, or its error thrown. */
export function check(syscall: string, result: number, detail?: string): number {
  if (result < 0) throw new SyscallError(syscall, result, detail);
  return result;
}
