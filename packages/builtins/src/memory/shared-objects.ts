/**
 * Memory that no process needs to have mapped: memfds and segments of System V.
 *
 * It can be filled through write(2), or be left behind by its last user, so the counters of processes do not show
 * it. Nothing is looked at until a program has made such an object: the two calls that do are notified for that.
 * An object is found while a member has it open; one that travels in a socket is not.
 * memfd_create(2), sysvipc(7), proc_sysvipc(5)
 */
import { readdirSync, statSync } from 'node:fs';

import { descriptorLink, readWhole, unlessGone } from '../proc-file.js';
import { readMapped } from './proportional.js';

const MEMFD = '/memfd:';
const SEGMENT = '/SYSV';
const BLOCK_BYTES = 512; // of st_blocks, stat(2)
const buffer = Buffer.alloc(65536);

export class SharedObjects {
  #memfds: boolean;
  readonly #creators = new Set<number>();
  /** Size of each object that was found last. */
  readonly #found = new Map<string, number>();

  /** @param handedOut  members are given memfds that they have not made */
  constructor(handedOut = false) {
    this.#memfds = handedOut;
  }

  /** A member is about to make a memfd. */
  expectMemfd(): void {
    this.#memfds = true;
  }

  /** This process is about to make a segment. */
  expectSegment(pid: number): void {
    this.#creators.add(pid);
  }

  /** @returns the bytes of all objects of these processes */
  measure(pids: readonly number[]): number {
    this.#found.clear();
    if (this.#memfds) for (const pid of pids) this.#findMemfds(pid);
    if (this.#creators.size > 0) this.#findSegments();
    let sum = 0;
    for (const bytes of this.#found.values()) sum += bytes;
    return sum;
  }

  /** What a process has mapped of the objects that were found by the last {@link measure}. */
  mapped(pid: number): number {
    if (this.#found.size === 0) return 0;
    return readMapped(pid, (path, inode) => (
      this.#found.has(`${path.startsWith(SEGMENT) ? SEGMENT : MEMFD}${inode}`) && /^\/(?:memfd:|SYSV)/.test(path)));
  }

  #findMemfds(pid: number): void {
    for (const fd of unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const link = `/proc/${pid}/fd/${fd}`;
      if (descriptorLink(pid, fd)?.startsWith(MEMFD) !== true) continue;
      const object = unlessGone(() => statSync(link));
      if (object !== undefined) this.#found.set(`${MEMFD}${object.ino}`, object.blocks * BLOCK_BYTES);
    }
  }

  #findSegments(): void {
    const text = unlessGone(() => readWhole('/proc/sysvipc/shm', buffer)) ?? '';
    for (const line of text.split('\n').slice(1)) {
      // key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap
      const fields = line.trim().split(/\s+/).map(Number);
      if (this.#creators.has(fields[4]!)) this.#found.set(`${SEGMENT}${fields[1]!}`, fields[14]! + fields[15]!);
    }
  }
}
