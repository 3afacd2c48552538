/**
 * /dev/urandom and /dev/random, endless, each open with a stream of its own.
 *
 * Reading waits for nothing but the supervisor, writing is accepted and changes nothing; before Linux 6.16 it is EPIPE where
 * the device is open for both. The descriptor is a socket's: it cannot be mapped or reopened through /proc. Whoever holds
 * very many of them open gets files of 1 MiB for those that follow, so that the supervisor's descriptors are not used up;
 * the bytes are the same.
 * random(4)
 */
import { action, type NotifAction } from '@sandlock/dispatch';
import {
  AT_FDCWD, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_RDONLY, O_WRONLY, openat,
} from '@sandlock/sys';

import type { View, ViewOpen } from '../views/view.js';
import { DeviceFeed } from './device-feed.js';
import type { RandomStream } from './random-tree.js';

export const RANDOM_DEVICES: readonly string[] = ['/dev/random', '/dev/urandom'];
/** Of a sandbox, at once. */
const MAX_FEEDS = 256;
const FILE_BYTES = 1024 * 1024;

export class RandomDevices {
  readonly #streamOf: (tid: number) => RandomStream | undefined;
  readonly #feeds = new Set<DeviceFeed>();
  readonly #maxFeeds: number;

  /** @param streamOf the next device's of a thread's process */
  constructor(streamOf: (tid: number) => RandomStream | undefined, maxFeeds = MAX_FEEDS) {
    this.#streamOf = streamOf;
    this.#maxFeeds = maxFeeds;
  }

  /** How many are open and fed. */
  get size(): number {
    return this.#feeds.size;
  }

  get views(): readonly View[] {
    return RANDOM_DEVICES.map((path) => ({ path, open: (request) => this.#open(request) }));
  }

  close(): void {
    for (const feed of this.#feeds) feed.close();
  }

  #open({ asker, flags, mayWrite }: ViewOpen): NotifAction {
    // A descriptor that only names the device would lead back to the machine's own.
    if ((flags & O_PATH) !== 0) return action.errno('EACCES');
    // The kernel's order. fs/namei.c, open_last_lookups() and do_open()
    if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return action.errno('EEXIST');
    if ((flags & O_DIRECTORY) !== 0) return action.errno('ENOTDIR');
    const mode = flags & O_ACCMODE;
    if (mode !== O_RDONLY && !mayWrite) return action.errno('EACCES');
    const newFdFlags = flags & O_CLOEXEC;
    try {
      if (mode === O_WRONLY) return action.injectFdSend({ srcFd: openat(AT_FDCWD, '/dev/null', O_WRONLY), newFdFlags });
      const stream = this.#streamOf(asker.pid);
      if (stream === undefined) return action.errno('EPERM');
      if (this.#feeds.size >= this.#maxFeeds) return action.bytes(stream.read(FILE_BYTES), { cloexec: newFdFlags !== 0 });
      return action.injectFdSend({ srcFd: this.#fed(stream, flags), newFdFlags });
    } catch {
      return action.errno('EIO'); // never the machine's own
    }
  }

  #fed(stream: RandomStream, flags: number): number {
    const { feed, targetFd } = DeviceFeed.open(stream, flags, () => this.#feeds.delete(feed));
    this.#feeds.add(feed);
    return targetFd;
  }
}
