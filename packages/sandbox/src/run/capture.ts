/**
 * Capture: reads a stream of the program to its end and keeps the first bytes of it.
 *
 * It reads on after the limit, or the program would block on a full pipe. Once the tree is gone nothing of it can
 * write, but a process outside may have been passed the pipe; so after that, silence counts as the end.
 */
import { monotonicMs } from '@sandlock/sys';
import type { Socket } from 'node:net';

/** How long a pipe may be silent after the tree has ended, in milliseconds. */
const SILENCE_MS = 200;

export class Capture {
  readonly #stream: Socket;
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<void>;
  #bytes = 0;
  #truncated = false;
  #lastData = 0;

  constructor(stream: Socket, limitBytes: number) {
    this.#stream = stream;
    this.#limitBytes = limitBytes;
    // One that was empty closes by itself, also while nobody reads; it says so once.
    this.#closed = stream.closed ? Promise.resolve() : new Promise((resolve) => stream.once('close', () => resolve()));
    stream.on('error', () => stream.destroy()); // the bytes so far are the output
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Resolves when all has been read. Call it once the tree has ended. */
  async finish(): Promise<void> {
    this.#lastData = monotonicMs();
    const timer = setInterval(() => {
      if (monotonicMs() - this.#lastData >= SILENCE_MS) this.#stream.destroy();
    }, SILENCE_MS / 4);
    await this.#closed;
    clearInterval(timer);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** More came than was kept. */
  get truncated(): boolean {
    return this.#truncated;
  }

  #take(chunk: Buffer): void {
    this.#lastData = monotonicMs();
    const room = this.#limitBytes - this.#bytes;
    if (chunk.length > room) this.#truncated = true;
    if (room <= 0) return;
    const kept = chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk;
    this.#bytes += kept.length;
    this.#chunks.push(kept);
  }
}
