/**
 * Our ends of a program's pipes: each is taken by the caller, or captured here, and never both.
 */
import type { Socket } from 'node:net';

import { Capture } from './capture.js';
import { pipeStream, type StdioPlan } from './stdio.js';

export class ProgramStreams {
  readonly #limitBytes: number;
  readonly #streams: readonly (Socket | null)[];
  readonly #taken = [false, false, false];
  readonly #captures: (Capture | null)[] = [null, null, null];
  #over = false;

  /** @param limitBytes how much of each output is kept */
  constructor({ ends }: StdioPlan, limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#streams = ends.map((fd, i) => (fd === null ? null : pipeStream(fd, i === 0 ? 'write' : 'read')));
    // A write to a program that is gone is no error of the caller's.
    this.#streams[0]?.on('error', () => undefined);
  }

  /** @returns null: there is no pipe, or it is captured already */
  take(i: 0 | 1 | 2): Socket | null {
    if (this.#captures[i]) return null;
    this.#taken[i] = true;
    return this.#streams[i] ?? null;
  }

  /** Ends a stdin that nobody took. */
  endInput(): void {
    if (!this.#taken[0]) this.#streams[0]?.end();
  }

  /** Begins to capture what was not taken. */
  capture(): void {
    for (const i of [1, 2]) {
      const stream = this.#streams[i];
      if (stream && !this.#taken[i] && !this.#over) this.#captures[i] ??= new Capture(stream, this.#limitBytes);
    }
  }

  /** The tree is gone. Resolves when all that it wrote is captured. */
  async finish(): Promise<void> {
    this.#streams[0]?.destroy();
    this.capture(); // whoever waits only now gets the same
    await Promise.all(this.#captures.map((capture) => capture?.finish()));
    this.#over = true;
  }

  /** null: it was no pipe, or was taken. */
  captured(i: 1 | 2): Buffer | null {
    return this.#captures[i]?.bytes ?? null;
  }

  get truncated(): boolean {
    return this.#captures.some((capture) => capture?.truncated);
  }

  unref(): void {
    for (const stream of this.#streams) stream?.unref();
  }

  destroy(): void {
    for (const stream of this.#streams) stream?.destroy();
  }
}
