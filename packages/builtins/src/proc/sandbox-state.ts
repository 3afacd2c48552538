/**
 * What is known of a sandbox over time: since when it is there, and how busy it has been.
 */
import { monotonicMs } from '@sandlock/sys';

import { Census } from './census.js';
import { LoadAverage, SAMPLE_SECONDS } from './load-average.js';
import type { Members } from '../views/members.js';

/** C libraries call sysinfo(2) before they sort, and do not look at the number of processes. */
const RECOUNT_MS = 100;

export class SandboxState {
  readonly census: Census;
  readonly #members: Members;
  readonly #load = new LoadAverage();
  readonly #startMs = monotonicMs();
  /** At first there is one. */
  #counted = { atMs: this.#startMs, processes: 1 };
  readonly #timer: NodeJS.Timeout;

  constructor(members: Members, guardPid: () => number) {
    this.#members = members;
    this.census = new Census(members, guardPid);
    this.#timer = setInterval(() => this.#sample(), SAMPLE_SECONDS * 1000).unref();
  }

  get averages(): readonly number[] {
    return this.#load.averages;
  }

  /** How many processes live, or did a moment ago. */
  processes(): number {
    const now = monotonicMs();
    if (now - this.#counted.atMs > RECOUNT_MS) this.#counted = { atMs: now, processes: this.#members.count() };
    return this.#counted.processes;
  }

  elapsedMs(): number {
    return monotonicMs() - this.#startMs;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    let running = 0;
    try {
      running = this.census.take().running;
    } catch {
      // It has not started, or cannot be looked at now: a sample less, and no reason to end the supervisor.
    }
    this.#load.sample(running);
  }
}
