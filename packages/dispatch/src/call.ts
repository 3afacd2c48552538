/**
 * A call on its way through the supervisor: the notification, how far its chain has been walked, and who
 * wants to know how it ends.
 */
import type { Outcome } from './handler.js';
import type { Notification, NotificationBuffer } from './notification.js';
import type { Link } from './table.js';

export interface Chain {
  readonly nr: number;
  readonly name: string;
  readonly links: readonly Link[];
  /** How often each link gave the answer. */
  readonly answered: number[];
  /** Calls whose answer may not come later: exec and what creates processes. */
  readonly inlineOnly: boolean;
  notifications: number;
}

export class Call implements Notification {
  readonly id: bigint;
  readonly pid: number;
  readonly flags: number;
  readonly nr: number;
  readonly arch: number;
  readonly instructionPointer: bigint;
  readonly args: readonly bigint[];
  readonly chain: Chain;
  /** Index of the next link to ask. */
  next = 0;
  /** The one answer was given, or the call is gone. */
  over = false;
  /** When the deferred part of this call runs out of time; one budget for the whole chain. */
  deferredUntil = 0;
  #outcomes: ((outcome: Outcome) => void)[] | undefined;
  #abort: AbortController | undefined;

  constructor(buffer: NotificationBuffer, chain: Chain) {
    const { words, halves } = buffer;
    this.id = words[0]!;
    this.pid = halves[2]!;
    this.flags = halves[3]! >>> 0;
    this.nr = halves[4]!;
    this.arch = halves[5]! >>> 0;
    this.instructionPointer = words[3]!;
    this.args = [words[4]!, words[5]!, words[6]!, words[7]!, words[8]!, words[9]!];
    this.chain = chain;
  }

  get name(): string {
    return this.chain.name;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  abort(reason: unknown): void {
    this.#abort?.abort(reason);
  }

  onOutcome(callback: (outcome: Outcome) => void): void {
    (this.#outcomes ??= []).push(callback);
  }

  /** True when somebody waits for the outcome: otherwise none need be made. */
  get isWatched(): boolean {
    return this.#outcomes !== undefined;
  }

  takeOutcomes(): readonly ((outcome: Outcome) => void)[] {
    const taken = this.#outcomes ?? [];
    this.#outcomes = undefined;
    return taken;
  }
}
