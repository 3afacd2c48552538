/**
 * Capture: reads a pipe from the program to its end and keeps the first bytes of it.
 *
 * It reads on after the limit, or the program would block on a full pipe. Once the tree is gone nothing of it can
 * write, but a process outside may have been passed the pipe; so after that, silence counts as the end, and so does that it is
 * never silent: all that is the tree's own was in the pipe before, and is read first.
 */
import { type KeptFd, PipeCapture } from '@sandlock/sys';

import { deferred } from './deferred.js';

/** How long a pipe may be silent after the tree has ended, in milliseconds. */
const SILENCE_MS = 200;
/** How long somebody outside may keep on writing then. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 50;

export class Capture {
  readonly #end: KeptFd;
  readonly #limitBytes: number;
  readonly #pipe: PipeCapture;
  readonly #closed = deferred();
  #isOpen = true;
  #bytes: Buffer | undefined;

  /** @param end our end of the pipe; owned from here on @throws {SyscallError} it cannot be watched, and is closed */
  constructor(end: KeptFd, limitBytes: number) {
    this.#end = end;
    this.#limitBytes = limitBytes;
    try {
      this.#pipe = new PipeCapture({ fd: end.fd, limitBytes, onEnd: () => this.close() });
    } catch (error) {
      end.close();
      throw error;
    }
  }

  /** Resolves when all has been read. Call it once the tree has ended. */
  async finish(): Promise<void> {
    if (this.#isOpen && this.#pipe.drain()) this.close(); // as a rule all is there
    if (!this.#isOpen) return;
    let [heard, silentMs, waitedMs] = [this.#pipe.totalBytes, 0, 0];
    const timer = setInterval(() => {
      const { totalBytes } = this.#pipe;
      silentMs = totalBytes === heard ? silentMs + LOOK_MS : 0;
      waitedMs += LOOK_MS;
      heard = totalBytes;
      if (silentMs >= SILENCE_MS || waitedMs >= PATIENCE_MS) this.close();
    }, LOOK_MS);
    await this.#closed.promise;
    clearInterval(timer);
  }

  get bytes(): Buffer {
    return (this.#bytes ??= this.#pipe.take());
  }

  /** More came than was kept. */
  get truncated(): boolean {
    return this.#pipe.totalBytes > this.#limitBytes;
  }

  unref(): void {
    this.#pipe.unref();
  }

  /** Reads no more: the bytes so far are the output. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#pipe.close();
    this.#end.close();
    this.#closed.resolve(undefined);
  }
}
