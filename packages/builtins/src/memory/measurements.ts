/**
 * One measurement at a time.
 *
 * It takes a while, and any number of threads may ask meanwhile. They share the one that begins next: one that had
 * begun before they asked could have missed what was used until then.
 */
import type { Measurement } from './memory-meter.js';

interface Waiting {
  requestBytes: number;
  readonly result: Promise<Measurement>;
  readonly begin: (result: Promise<Measurement>) => void;
}

export class Measurements {
  readonly #measure: (requestBytes: number) => Promise<Measurement>;
  #running = false;
  #waiting: Waiting | undefined;

  /** @param measure for the largest request of those who share it */
  constructor(measure: (requestBytes: number) => Promise<Measurement>) {
    this.#measure = measure;
  }

  /** One that begins now or later. */
  ask(requestBytes: number): Promise<Measurement> {
    if (!this.#running) return this.#begin(requestBytes);
    this.#waiting ??= waiting();
    this.#waiting.requestBytes = Math.max(this.#waiting.requestBytes, requestBytes);
    return this.#waiting.result;
  }

  #begin(requestBytes: number): Promise<Measurement> {
    this.#running = true;
    const result = this.#measure(requestBytes);
    const end = (): void => {
      this.#running = false;
      const next = this.#waiting;
      this.#waiting = undefined;
      next?.begin(this.#begin(next.requestBytes));
    };
    result.then(end, end);
    return result;
  }
}

function waiting(): Waiting {
  let begin!: Waiting['begin'];
  const result = new Promise<Measurement>((resolve) => { begin = resolve; });
  return { requestBytes: 0, result, begin };
}
