/**
 * Our ends of a program's pipes: each is taken by the caller, or captured here, and never both.
 *
 * An output becomes a stream when it is taken: most are captured, which does not take one.
 */
import type { KeptFd } from '@sandlock/sys';
import type { Socket } from 'node:net';

import { Capture } from './capture.js';
import { pipeStream, type StdioPlan } from './stdio.js';

type Output = 1 | 2;

const OUTPUTS: readonly Output[] = [1, 2];

export class ProgramStreams {
  readonly #limitBytes: number;
  /** Owned here until it is taken or captured. */
  readonly #ends: (KeptFd | null)[];
  readonly #streams: (Socket | null)[] = [null, null, null];
  readonly #captures: (Capture | null)[] = [null, null, null];
  readonly #stdinClosed: Promise<void>;
  #stdinTaken = false;
  #isReferenced = true;

  /** @param limitBytes how much of each output is kept */
  constructor({ ends }: StdioPlan, limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#ends = [...ends];
    const stdin = this.#streamOf(0);
    // A write to a program that is gone is no error of the caller's.
    stdin?.on('error', () => undefined);
    // Not asked for later: a stream is closed a moment before it says so.
    this.#stdinClosed = stdin === null ? Promise.resolve() : new Promise((resolve) => stdin.once('close', () => resolve()));
  }

  /** @returns null: there is no pipe, or it is captured already */
  take(i: 0 | Output): Socket | null {
    if (i === 0) this.#stdinTaken = true;
    return this.#streamOf(i);
  }

  /** Ends a stdin that nobody took. */
  endInput(): void {
    if (!this.#stdinTaken) this.#streams[0]?.end();
  }

  /** Begins to capture what was not taken. */
  capture(): void {
    for (const i of OUTPUTS) {
      const end = this.#release(i);
      if (end === null) continue;
      const capture = (this.#captures[i] = new Capture(end, this.#limitBytes));
      if (!this.#isReferenced) capture.unref();
    }
  }

  /** The tree is gone. Resolves when all that it wrote is captured or, where it flows, was read, and who feeds it has let go. */
  async finish(): Promise<void> {
    this.capture(); // whoever waits only now gets the same
    this.#streams[0]?.destroy();
    // No more is to come than what a pipe holds, which is read in one go.
    if (OUTPUTS.some((i) => this.#streams[i] !== null)) await roundOfLoop();
    await Promise.all([this.#stdinClosed, ...this.#captures.map((capture) => capture?.finish())]);
  }

  /** null: it was no pipe, or was taken. */
  captured(i: Output): Buffer | null {
    return this.#captures[i]?.bytes ?? null;
  }

  get truncated(): boolean {
    return this.#captures.some((capture) => capture?.truncated);
  }

  unref(): void {
    this.#isReferenced = false;
    for (const each of [...this.#streams, ...this.#captures]) each?.unref();
  }

  destroy(): void {
    for (const stream of this.#streams) stream?.destroy();
    for (const i of OUTPUTS) {
      this.#captures[i]?.close();
      this.#release(i)?.close();
    }
  }

  #streamOf(i: 0 | Output): Socket | null {
    const end = this.#release(i);
    if (end === null) return this.#streams[i]!;
    const stream = (this.#streams[i] = pipeStream(end.release(), i === 0 ? 'write' : 'read'));
    if (!this.#isReferenced) stream.unref();
    return stream;
  }

  #release(i: 0 | Output): KeptFd | null {
    const end = this.#ends[i]!;
    this.#ends[i] = null;
    return end;
  }
}

/** A whole one: that which goes on may have passed by what is to be read. */
async function roundOfLoop(): Promise<void> {
  for (let n = 0; n < 2; n++) await new Promise((resolve) => { setImmediate(resolve); });
}
