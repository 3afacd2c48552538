/**
 * What a sandbox uses and what it asks for.
 *
 * As long as everything that was asked for since the last look fits, nothing is read; so a charge is never trusted, only
 * a reason to measure, and what failed or was given back costs nothing.
 */
import { monotonicMs } from '@sandlock/sys';

import { Measurements } from './measurements.js';
import type { Measurement, MemoryMeter } from './memory-meter.js';

/** A measurement this old is good enough for a file that shows it. */
const FRESH_MS = 50;

export interface MemoryAccountOptions {
  readonly meter: MemoryMeter;
  readonly limitBytes: number;
  /** What is used and asked for must fit into this. */
  readonly requestLimitBytes: number;
  /** After a measurement, something that came close to it was let go on: with what could be in use then. */
  readonly onGranted: (boundBytes: number) => void;
}

export class MemoryAccount {
  readonly #options: MemoryAccountOptions;
  readonly #measurements: Measurements;
  #peak = 0;
  /** What was in use at the last look, and everything that was asked for since. */
  #bound = 0;
  /** Everything that was ever let go on. */
  #granted = 0;
  #lastUsed: number;
  #lastLook = -Infinity;

  constructor(options: MemoryAccountOptions) {
    this.#options = options;
    this.#lastUsed = options.limitBytes;
    this.#measurements = new Measurements(async (requestBytes) => {
      const before = this.#granted;
      const measurement = await options.meter.measure(requestBytes);
      this.#measured(measurement.usedBytes, this.#granted - before);
      return measurement;
    });
  }

  /** The most that was found in use at once. */
  get peak(): number {
    return this.#peak;
  }

  /** What could be in use by now. */
  get bound(): number {
    return this.#bound;
  }

  /** Whether this much more fits, without a look. */
  hasRoom(bytes: number): boolean {
    return this.#bound + bytes <= this.#options.requestLimitBytes;
  }

  async measure(): Promise<Measurement> {
    return this.#options.meter.remaining(await this.#measurements.ask(0));
  }

  /** What is in use now, or was at the last look where that cannot be said at once. */
  usedBytes(): number {
    if (monotonicMs() - this.#lastLook > FRESH_MS) {
      const measured = this.#options.meter.atOnce();
      if (measured !== undefined && measured.usedBytes <= this.#options.limitBytes) this.#measured(measured.usedBytes, 0);
    }
    return this.#lastUsed;
  }

  /** Lets a request for this much more go on, if it can be told at once that there is room. */
  fitsAtOnce(bytes: number): boolean {
    const { meter, requestLimitBytes } = this.#options;
    if (!this.hasRoom(bytes)) {
      const measured = meter.atOnce();
      if (measured === undefined || measured.usedBytes + bytes > requestLimitBytes) return false;
      this.#measured(measured.usedBytes, 0);
      this.#options.onGranted(this.#bound + bytes);
    }
    this.#grant(bytes);
    return true;
  }

  /**
   * The same after a measurement. What is asked for one after the other is told one after the other: where somebody is ended
   * because there is no room, there is room for the next.
   *
   * @param refuse no room: is done before anybody else is told
   * @returns undefined: it may go on
   */
  async refusal<T>(bytes: number, refuse: () => T): Promise<T | undefined> {
    const { meter, limitBytes, requestLimitBytes } = this.#options;
    const measured = await this.#measurements.ask(bytes + limitBytes - requestLimitBytes);
    if (meter.remaining(measured).usedBytes + bytes > requestLimitBytes) return refuse();
    this.#options.onGranted(this.#bound + bytes);
    this.#grant(bytes);
    return undefined;
  }

  #grant(bytes: number): void {
    this.#bound += bytes;
    this.#granted += bytes;
  }

  /** @param grantedBytes meanwhile: it may be in use by now, or not */
  #measured(usedBytes: number, grantedBytes: number): void {
    this.#peak = Math.max(this.#peak, usedBytes);
    this.#lastUsed = usedBytes;
    this.#bound = usedBytes + grantedBytes;
    this.#lastLook = monotonicMs();
  }
}
