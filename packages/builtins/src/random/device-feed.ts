/**
 * A device without end: a socket that the supervisor fills as fast as the target reads it.
 *
 * A file would come to an end and a pipe would answer a large read with what happens to be in it; programs such as
 * dd take the length of a read for granted. Here SO_RCVLOWAT makes every read wait until it is complete. What the target
 * writes is thrown away, as far as this random device cares for it. When the last descriptor of the target's end is
 * closed, the supervisor's is as well.
 * socket(7), SO_RCVLOWAT; unix(7); net/unix/af_unix.c, unix_stream_read_generic()
 */
import {
  close, fcntlSetFlags, FdWatcher, O_NONBLOCK, read, setsockoptInt, SHUT_RD, shutdown, SO_PASSRIGHTS, SO_RCVLOWAT, SO_SNDBUF, SOCK_STREAM, socketpair, SOL_SOCKET,
  SyscallError, UV_READABLE, UV_WRITABLE, write,
} from '@sandlock/sys';

import type { RandomStream } from './random-tree.js';

const INT_MAX = 0x7fffffff;
/** What most readers take at once: the buffer of a C library, or less. */
const SMALL_BYTES = 8 * 1024;
/** For one that has read that much and goes on. The kernel cuts it to net.core.wmem_max. */
const LARGE_BYTES = 256 * 1024;
const sink = Buffer.alloc(64 * 1024);

export class DeviceFeed {
  readonly #fd: number;
  readonly #stream: RandomStream;
  readonly #watcher: FdWatcher;
  readonly #onClosed: () => void;
  /** Drawn from the stream, and not taken by the socket yet. */
  #rest: Buffer;
  #isLarge = false;
  #isOpen = true;

  private constructor(fd: number, stream: RandomStream, writable: boolean, onClosed: () => void) {
    this.#fd = fd;
    this.#stream = stream;
    this.#onClosed = onClosed;
    this.#rest = stream.read(SMALL_BYTES);
    this.#rest = this.#rest.subarray(write(fd, this.#rest));
    this.#watcher = new FdWatcher(fd, writable ? UV_READABLE | UV_WRITABLE : UV_WRITABLE, (events, status) => this.#turn(events, status));
    this.#watcher.unref(); // a device that is left open keeps nobody waiting
  }

  /**
   * @param flags O_NONBLOCK, or 0
   * @returns the target's end, which the caller closes once the target has it
   * @throws {SyscallError} no more descriptors
   */
  static open(stream: RandomStream, flags: number, onClosed: () => void): { readonly feed: DeviceFeed; readonly targetFd: number } {
    const [ours, targetFd] = socketpair(SOCK_STREAM);
    try {
      fcntlSetFlags(ours, O_NONBLOCK);
      const writable = refuseDescriptors(ours);
      fcntlSetFlags(targetFd, flags & O_NONBLOCK);
      setsockoptInt(targetFd, SOL_SOCKET, SO_RCVLOWAT, INT_MAX);
      setsockoptInt(ours, SOL_SOCKET, SO_SNDBUF, 2 * SMALL_BYTES);
      return { feed: new DeviceFeed(ours, stream, writable, onClosed), targetFd };
    } catch (error) {
      close(ours);
      close(targetFd);
      throw error;
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#watcher.close();
    close(this.#fd);
    this.#onClosed();
  }

  #turn(events: number, status: number): void {
    try {
      if (status < 0) return this.close(); // the other end was closed with bytes in it
      if ((events & UV_READABLE) !== 0) read(this.#fd, sink);
      if ((events & UV_WRITABLE) !== 0) this.#fill();
    } catch (error) {
      if (!isFull(error)) this.close();
    }
  }

  #fill(): void {
    if (!this.#isLarge) setsockoptInt(this.#fd, SOL_SOCKET, SO_SNDBUF, LARGE_BYTES);
    this.#isLarge = true;
    if (this.#rest.length === 0) this.#rest = this.#stream.read(LARGE_BYTES);
    this.#rest = this.#rest.subarray(write(this.#fd, this.#rest));
  }
}

/**
 * Keeps a target from sending us descriptors: dropping one may be its last close, and that of a socket waits for as long as
 * its SO_LINGER says. Before Linux 6.16 by taking nothing from it at all.
 *
 * @returns whether the target may still write
 */
function refuseDescriptors(fd: number): boolean {
  try {
    setsockoptInt(fd, SOL_SOCKET, SO_PASSRIGHTS, 0);
    return true;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    shutdown(fd, SHUT_RD);
    return false;
  }
}

/** The socket takes no more for now, or there is nothing to read. */
function isFull(error: unknown): boolean {
  return error instanceof SyscallError && (error.code === 'EAGAIN' || error.code === 'EINTR');
}
