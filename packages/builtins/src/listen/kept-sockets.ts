/**
 * Copies of sockets that have neither connected nor listened yet, by inode.
 *
 * A copy keeps its socket, and the port that it may be bound to, from being freed. So whenever a new one is made it is
 * looked whether the others still stand where they were put; one that does not is given up.
 */
import { close, doNotLinger } from '@sandlock/sys';
import { fstatSync, readlinkSync } from 'node:fs';

interface Kept {
  readonly copy: number;
  /** A thread of the process it was made for. */
  readonly pid: number;
  readonly targetFd: number;
}

/** Beyond this the oldest is given up, so that no target can use up the supervisor's descriptors. */
const MAX_KEPT = 128;

export class KeptSockets {
  readonly #byInode = new Map<number, Kept>();
  readonly #listening = new Set<number>();

  keep(copy: number, pid: number, targetFd: number): void {
    const inode = fstatSync(copy).ino;
    this.#listening.delete(inode);
    this.#byInode.set(inode, { copy, pid, targetFd });
    if (this.#byInode.size > MAX_KEPT) this.forget(this.#byInode.keys().next().value!);
  }

  /** The inode of the socket that a number of the task stands for. */
  find(pid: number, fd: number): number | 'EBADF' | 'ENOTSOCK' {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? 'ENOTSOCK' : Number(inode);
    } catch {
      return 'EBADF'; // no such descriptor, or no such task
    }
  }

  copyOf(inode: number): number | undefined {
    return this.#byInode.get(inode)?.copy;
  }

  /** Whether this socket was let listen. The number may be another's by now, so this allows nothing. */
  hasListened(inode: number): boolean {
    return this.#listening.has(inode);
  }

  /** It listens: a copy is not needed any more. */
  listens(inode: number): void {
    this.forget(inode);
    this.#listening.add(inode);
    if (this.#listening.size > MAX_KEPT) this.#listening.delete(this.#listening.values().next().value!);
  }

  forget(inode: number): void {
    const kept = this.#byInode.get(inode);
    if (kept === undefined) return;
    this.#byInode.delete(inode);
    close(kept.copy);
  }

  /** Gives up what is not where it was put any more. */
  sweep(): void {
    for (const [inode, { copy, pid, targetFd }] of this.#byInode) {
      if (this.find(pid, targetFd) === inode) continue;
      doNotLinger(copy); // this may be the last close of it
      this.forget(inode);
    }
  }

  dispose(): void {
    for (const [inode, { copy }] of this.#byInode) {
      doNotLinger(copy);
      this.forget(inode);
    }
  }
}
