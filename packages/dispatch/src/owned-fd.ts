/**
 * A descriptor that an action owns.
 *
 * The target gets a copy of its own, so ours must be closed exactly once whatever becomes of the action:
 * sent, failed, stale, replaced, refused or discarded. Closing twice would hit a descriptor that someone
 * else has opened in between; so this is the only place where an action's descriptor is closed.
 */
import { close, isOpenFd } from '@sandlock/sys';

import { ActionError } from './errors.js';

/** For example a FileHandle of node:fs/promises. */
export interface FdHandle {
  readonly fd: number;
  close(): unknown;
}

export type FdSource = number | FdHandle;

/** @throws {ActionError} ERR_SANDLOCK_ACTION_FD: not a number, 0 to 2, or not open */
export function checkedFd(source: FdSource): number {
  const fd: unknown = typeof source === 'object' && source !== null ? source.fd : source;
  if (typeof fd !== 'number' || !Number.isInteger(fd) || fd < 0) {
    throw new ActionError('ERR_SANDLOCK_ACTION_FD', `srcFd is an open descriptor or a FileHandle, not ${String(fd)}.`);
  }
  // Standard streams are never meant, and a zeroed record means 0.
  if (fd <= 2) {
    throw new ActionError('ERR_SANDLOCK_ACTION_FD',
      `srcFd ${fd} is a standard stream of the supervisor; duplicate it if a target shall really have it.`);
  }
  if (!isOpenFd(fd)) throw new ActionError('ERR_SANDLOCK_ACTION_FD', `srcFd ${fd} is not open.`);
  return fd;
}

export class OwnedFd {
  readonly fd: number;
  readonly #source: FdSource;
  #open = true;

  constructor(source: FdSource) {
    this.fd = checkedFd(source);
    this.#source = source;
  }

  /** False once it was closed: the action was answered with already. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Gives ownership up without closing: the number was never the action's to close. */
  forget(): void {
    this.#open = false;
  }

  /** Closes it the first time; nothing after that. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      if (typeof this.#source === 'number') {
        close(this.fd);
        return;
      }
      // A FileHandle closes in its own time and refuses politely when it is closed already.
      Promise.resolve(this.#source.close()).catch(ignore);
    } catch {
      // Linux frees the number whatever close(2) returns, and EBADF means that it was free before.
    }
  }
}

function ignore(): void {}
