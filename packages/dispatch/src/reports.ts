/**
 * Reports: what the supervisor met that somebody may want to know.
 *
 * They are handed over off the loop, from a bounded queue. A target can cause reports at will, so when
 * the queue is full the newest are counted and dropped, and the count is reported.
 */
import { contained } from './contained.js';

export type SupervisorReport =
  /** A handler threw, rejected, gave no action, took too long or asked for a kill that was refused. */
  | ({ readonly type: 'exception'; readonly owner: string; readonly policy: string; readonly error: unknown } & Where)
  /** A descriptor could not be installed; the target got `errno` instead. */
  | ({ readonly type: 'injectionFailed'; readonly reason: string; readonly errno: number } & Where)
  /** A deferred answer was refused, ran out of time or was no answer. */
  | ({ readonly type: 'deferral'; readonly owner: string;
    readonly reason: 'inlineOnly' | 'full' | 'timeout' | 'nested'; readonly errno: number } & Where)
  /** A handler took long inline without using the processor: it waited, or the whole process was stopped. */
  | ({ readonly type: 'slow'; readonly owner: string; readonly tookMs: number } & Where)
  /** A held call ran into its time limit. */
  | ({ readonly type: 'holdTimeout' } & Where)
  /** A call was notified for which nothing is registered, or for a foreign architecture; it got ENOSYS. */
  | ({ readonly type: 'unexpected'; readonly arch: number } & Where)
  /** The kernel did not take a response. */
  | ({ readonly type: 'sendFailed'; readonly reason: string } & Where)
  /** A callback of a handler (`onInjected`, `targetFd`, `onOutcome`) or of the sandbox threw. */
  | ({ readonly type: 'callback'; readonly callback: string; readonly error: unknown } & Where)
  /** The thread of the supervisor was busy for this long, and every notified call waited. */
  | { readonly type: 'blocked'; readonly blockedMs: number }
  | { readonly type: 'dropped'; readonly count: number };

interface Where {
  readonly syscall: string;
  readonly nr: number;
  /** A thread id. */
  readonly pid: number;
}

export class ReportQueue {
  readonly #sink: ((report: SupervisorReport) => void) | undefined;
  readonly #limit: number;
  #waiting: SupervisorReport[] = [];
  #droppedSinceFlush = 0;
  #scheduled = false;
  /** All reports dropped so far. */
  dropped = 0;

  constructor(sink: ((report: SupervisorReport) => void) | undefined, limit: number) {
    this.#sink = sink;
    this.#limit = limit;
  }

  push(report: SupervisorReport): void {
    if (this.#sink === undefined) return;
    if (this.#waiting.length >= this.#limit) {
      this.dropped++;
      this.#droppedSinceFlush++;
      return;
    }
    this.#waiting.push(report);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    const reports = this.#waiting;
    const count = this.#droppedSinceFlush;
    this.#waiting = [];
    this.#droppedSinceFlush = 0;
    for (const report of reports) this.#deliver(report);
    if (count > 0) this.#deliver({ type: 'dropped', count });
  }

  #deliver(report: SupervisorReport): void {
    // Whoever listens to reports has nobody to report to; the loop must not pay for it.
    contained(() => this.#sink?.(report), () => undefined);
  }
}
