/**
 * Where targets have got to in directories whose open file the supervisor cannot share.
 *
 * The kernel keeps the position in the open file, and a copy of the descriptor moves it for everybody who has it. Where
 * copies are not to be had, the kernel's position stays where it was, and this is kept beside it: for a process's
 * descriptor number, as long as the number stands for the same directory and nobody has called lseek(2). A duplicate
 * of the number, or a child's, starts where the kernel says.
 */
import { mayCallPidfdGetfd } from '@sandlock/sys';

/** What a descriptor number stands for, as far as can be seen from outside. */
export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** The kernel's own position. */
  readonly kernelPosition: bigint;
}

interface Stored extends Identity {
  readonly position: bigint;
}

/** Of numbers that were closed nobody tells us. */
const MAX_STORED = 1024;

export class PositionStore {
  readonly #stored = new Map<string, Stored>();

  /** @param copiesDescriptors whether to try to share open files with targets at all */
  constructor(readonly copiesDescriptors: boolean = mayCallPidfdGetfd()) {}

  get(tgid: number, fd: number, identity: Identity): bigint {
    const stored = this.#stored.get(key(tgid, fd));
    const same = stored?.dev === identity.dev && stored.ino === identity.ino && stored.kernelPosition === identity.kernelPosition;
    return same ? stored.position : identity.kernelPosition;
  }

  set(tgid: number, fd: number, identity: Identity, position: bigint): void {
    this.forget(tgid, fd); // so that it comes last
    this.#stored.set(key(tgid, fd), { ...identity, position });
    if (this.#stored.size > MAX_STORED) this.#stored.delete(this.#stored.keys().next().value!);
  }

  /** The number stands for another open file now, or was moved by lseek(2). */
  forget(tgid: number, fd: number): void {
    this.#stored.delete(key(tgid, fd));
  }
}

function key(tgid: number, fd: number): string {
  return `${tgid}:${fd}`;
}
