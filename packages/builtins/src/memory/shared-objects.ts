/**
 * Memory that no process needs to have mapped: memfds and segments of System V.
 *
 * It can be filled through write(2), or be left behind by its last user, so the counters of processes do not show
 * it. Nothing is looked at until a program has made such an object: the two calls that do are notified for that.
 * An object is found while a member has it open; one that travels in a socket is not.
 *
 * Threads of one process nearly always have their descriptors in common. Those that a thread may have of its own are looked for
 * where one was made so, which is notified as well.
 *
 * Descriptors are looked at in another thread, and only so many at a time. Who has more than that is said, since
 * whatever it hides behind them would count for nothing.
 * memfd_create(2), sysvipc(7), proc_sysvipc(5); clone(2), CLONE_FILES; close_range(2), CLOSE_RANGE_UNSHARE
 */
import { listFilesAside, readFileAside, SyscallError, type FilesListed } from '@sandlock/sys';

import { listThreads } from '../process-children.js';
import { isGone } from '../process-stat.js';
import { readMemoryStatus, type MemoryStatus } from './memory-status.js';
import { readMapped, type Mapped } from './proportional.js';

const MEMFD = '/memfd:';
const SEGMENT = '/SYSV';
const BLOCK_BYTES = 512; // of st_blocks, stat(2)
/** Of all members together. Half a second of processor time, or less. */
const MAX_DESCRIPTORS = 131_072;
/** More than SHMMNI segments have. shmget(2) */
const SEGMENTS_BYTES = 8 * 1024 * 1024;
const GONE = new Set(['ENOENT', 'ESRCH']);
const HIDDEN = new Set(['EACCES', 'EPERM']);
/** Threads that end between the list of them and a look at their descriptors are asked for anew this often. */
const MAX_LOOKS = 4;
/** Processes that have ended are forgotten when so many are remembered. */
const MANY = 256;

export interface SharedObjectsFound {
  /** Of all objects of the processes. */
  readonly bytes: number;
  /** Size of each. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Processes with too many descriptors to look through. */
  readonly unseen: ReadonlySet<number>;
  readonly busyMs: number;
}

export class SharedObjects {
  #memfds: boolean;
  readonly #creators = new Set<number>();
  /** Processes with threads that have descriptors of their own. */
  readonly #apart = new Set<number>();
  readonly #maxDescriptors: number;

  /**
   * @param handedOut       members are given memfds that they have not made
   * @param maxDescriptors  to look at in one go; tests take fewer
   */
  constructor(handedOut = false, maxDescriptors = MAX_DESCRIPTORS) {
    this.#memfds = handedOut;
    this.#maxDescriptors = maxDescriptors;
  }

  /** Whether there can be any. */
  get expected(): boolean {
    return this.#memfds || this.#creators.size > 0;
  }

  /** A member is about to make a memfd. */
  expectMemfd(): void {
    this.#memfds = true;
  }

  /** This process is about to make a segment. */
  expectSegment(pid: number): void {
    this.#creators.add(pid);
  }

  /** A thread of this process is about to have descriptors of its own. */
  expectOwnDescriptors(pid: number): void {
    if (this.#apart.size >= MANY) for (const each of this.#apart) if (isGone(each)) this.#apart.delete(each);
    this.#apart.add(pid);
  }

  /** Looks for the objects of these processes. */
  async find(statuses: readonly MemoryStatus[]): Promise<SharedObjectsFound> {
    const found = new Map<string, number>();
    const unseen = new Set<number>();
    let left = this.#maxDescriptors;
    let busyMs = 0;
    // Each has an equal part, and those with few come first: one with very many hides nobody but itself.
    const byDescriptors = this.#memfds ? [...statuses].sort((a, b) => a.descriptors - b.descriptors) : [];
    for (const [n, status] of byDescriptors.entries()) {
      const files = await this.#memfdsOf(status, Math.floor(left / (byDescriptors.length - n)));
      for (const [inode, blocks] of files.blocks) found.set(`${MEMFD}${inode}`, blocks * BLOCK_BYTES);
      if (!files.complete) unseen.add(status.pid);
      left -= files.looked;
      busyMs += files.busyMs;
    }
    if (this.#creators.size > 0) for (const [name, bytes] of await this.#segments()) found.set(name, bytes);
    let bytes = 0;
    for (const each of found.values()) bytes += each;
    return { bytes, sizes: found, unseen, busyMs };
  }

  /** What a process has mapped of the objects that were found, as far as this much text of its mappings tells. */
  async mapped(pid: number, maxTextBytes: number, { sizes }: SharedObjectsFound): Promise<Mapped> {
    return await readMapped(pid, maxTextBytes, (path, inode) => (
      sizes.has(`${path.startsWith(SEGMENT) ? SEGMENT : MEMFD}${inode}`) && /^\/(?:memfd:|SYSV)/.test(path)));
  }

  /** Who is gone, or hides its descriptors, has none. */
  async #memfdsOf({ pid, tid }: MemoryStatus, maxLinks: number): Promise<FilesListed> {
    const blocks = new Map<number, number>();
    let looked = 0;
    let busyMs = 0;
    for (let n = 0, thread: number | undefined = tid; thread !== undefined; n++) {
      let complete = true;
      let ended = false;
      for (const each of this.#apart.has(pid) ? listThreads(pid) : [thread]) {
        try {
          const files = await listFilesAside(each, MEMFD, maxLinks - looked);
          for (const [inode, size] of files.blocks) blocks.set(inode, size);
          complete &&= files.complete;
          looked += files.looked;
          busyMs += files.busyMs;
        } catch (error) {
          if (!(error instanceof SyscallError) || !(GONE.has(error.code) || HIDDEN.has(error.code))) throw error;
          ended ||= GONE.has(error.code);
        }
      }
      if (!ended || !complete || n === MAX_LOOKS) return { blocks, looked, complete: complete && !ended, busyMs };
      thread = readMemoryStatus(pid)?.tid;
    }
    return { blocks, looked, complete: true, busyMs };
  }

  async #segments(): Promise<readonly [string, number][]> {
    const { bytes } = await readFileAside('/proc/sysvipc/shm', SEGMENTS_BYTES);
    return bytes.toString('latin1').split('\n').slice(1)
      // key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter((fields) => this.#creators.has(fields[4]!))
      .map((fields) => [`${SEGMENT}${fields[1]!}`, fields[14]! + fields[15]!]);
  }
}
