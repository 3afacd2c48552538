/**
 * Deferred answers: calls whose answer a promise will bring.
 *
 * The loop goes on meanwhile, and the target's thread stays parked. A target can make as many such calls
 * as it has threads, so they are counted; and a promise may never settle, so each has a time limit. What a
 * promise brings after its call is over is discarded, with the descriptor it may own.
 */
import { monotonicMs } from '@sandlock/sys';
import { constants } from 'node:os';

import { isAction, type DeferAction, type DeferredWork, type NotifAction, type Refusal } from './action.js';
import type { Call } from './call.js';
import type { CallContext } from './context.js';
import { HandlerError } from './errors.js';
import { after, type SupervisorLimits } from './limits.js';
import { where } from './responder.js';
import type { ReportQueue } from './reports.js';
import type { Link } from './table.js';

const { EAGAIN, EIO, EPERM } = constants.errno;

/** What becomes of a call once its promise has settled. */
export interface DeferralHost {
  /** The handler's action, which is neither defer nor continue-with-handlers-left. */
  settle(call: Call, link: Link, action: NotifAction): void;
  /** On with the handlers after this one. */
  resume(call: Call): void;
  fail(call: Call, link: Link, error: unknown): void;
  errno(call: Call, errno: number): void;
  /** What the handler gave for the case that its answer cannot be waited for. */
  refuse(call: Call, refusal: Refusal): void;
  isGone(call: Call): boolean;
  gone(call: Call): void;
  /** Something broke that is no handler's doing. */
  failedInside(call: Call, error: unknown): void;
}

/** An action, or the work of a handler that is declared deferred. */
type DeferredAnswer = Pick<DeferAction, 'work'> & Partial<Pick<DeferAction, 'limitMs' | 'otherwise'>>;

interface Deferral {
  readonly call: Call;
  readonly link: Link;
  readonly context: CallContext;
  readonly work: DeferredWork;
  readonly limitMs: number | undefined;
  readonly otherwise: Refusal | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Settled, out of time, gone or closed: what comes now is too late. */
  over: boolean;
}

export class Deferrals {
  readonly #host: DeferralHost;
  readonly #limits: SupervisorLimits;
  readonly #reports: ReportQueue;
  readonly #running = new Set<Deferral>();
  #queue: Deferral[] = [];
  #closed = false;
  refused = 0;
  timedOut = 0;
  cancelled = 0;

  constructor(host: DeferralHost, limits: SupervisorLimits, reports: ReportQueue) {
    this.#host = host;
    this.#limits = limits;
    this.#reports = reports;
  }

  get running(): number {
    return this.#running.size;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Work that has not begun: it begins in a free slot, or waits for one, or is refused unbegun. */
  defer(call: Call, link: Link, context: CallContext, { work, limitMs, otherwise }: DeferredAnswer): void {
    const deferral: Deferral = { call, link, context, work, limitMs, otherwise, timer: undefined, over: false };
    if (call.chain.inlineOnly) return this.#refuse(deferral, 'inlineOnly', EPERM);
    if (this.#running.size < this.#limits.maxDeferred) return this.#run(deferral);
    if (this.#limits.whenFull === 'eagain' || this.#queue.length >= this.#limits.maxQueued) {
      return this.#refuse(deferral, 'full', EAGAIN);
    }
    this.#queue.push(deferral);
  }

  /** A handler has returned this promise, so its work is under way: with a queue, it is counted beyond the slots. */
  track(call: Call, link: Link, context: CallContext, promise: PromiseLike<unknown>): void {
    const deferral: Deferral = { call, link, context, work: () => promise as PromiseLike<NotifAction>, limitMs: undefined, otherwise: undefined, timer: undefined, over: false };
    const room = this.#limits.maxDeferred + (this.#limits.whenFull === 'queue' ? this.#limits.maxQueued : 0);
    if (call.chain.inlineOnly) this.#refuse(deferral, 'inlineOnly', EPERM);
    else if (this.#running.size + this.#queue.length >= room) this.#refuse(deferral, 'full', EAGAIN);
    else return this.#run(deferral);
    Promise.resolve(promise).then(discard, ignore);
  }

  /** Drops what no longer waits. */
  sweep(): void {
    for (const deferral of [...this.#running, ...this.#queue]) {
      if (deferral.over || !this.#host.isGone(deferral.call)) continue;
      this.cancelled++;
      this.#end(deferral, 'the call does not wait any more');
      this.#host.gone(deferral.call);
    }
    this.#pump();
  }

  /** Answers everything with EIO. */
  close(): void {
    this.#closed = true;
    for (const deferral of [...this.#running, ...this.#queue]) {
      this.#end(deferral, 'the supervisor closes');
      this.#deny(deferral, EIO);
    }
    this.#queue = [];
  }

  list(): readonly Call[] {
    return [...this.#running, ...this.#queue].map(({ call }) => call);
  }

  #run(deferral: Deferral): void {
    const { call, context } = deferral;
    this.#running.add(deferral);
    const now = monotonicMs();
    if (call.deferredUntil === 0) call.deferredUntil = now + (deferral.limitMs ?? this.#limits.deferLimitMs);
    deferral.timer = after(call.deferredUntil - now, () => this.#timeout(deferral));
    let settled: Promise<unknown>;
    try {
      settled = Promise.resolve(deferral.work(context, call.signal));
    } catch (error) {
      settled = Promise.reject(error as Error);
    }
    settled.then(
      (value) => this.#settled(deferral, value),
      (error: unknown) => {
        if (deferral.over) return;
        this.#end(deferral, undefined);
        this.#host.fail(call, deferral.link, error);
        this.#pump();
      },
    ).catch((error: unknown) => this.#host.failedInside(call, error));
  }

  #settled(deferral: Deferral, value: unknown): void {
    if (deferral.over) return discard(value);
    const { call, link } = deferral;
    this.#end(deferral, undefined);
    if (!isAction(value)) {
      this.#host.fail(call, link, new HandlerError('ERR_SANDLOCK_HANDLER_RESULT',
        `A handler of ${call.name} resolved to something that is no action.`, { syscall: call.name }));
    } else if (value.kind === 'defer') {
      this.#report(deferral, 'nested', EIO);
      this.#host.errno(call, EIO);
    } else if (value.kind === 'continue' && !link.terminal) {
      this.#host.resume(call);
    } else {
      this.#host.settle(call, link, value);
    }
    this.#pump();
  }

  #timeout(deferral: Deferral): void {
    if (deferral.over) return;
    this.timedOut++;
    this.#end(deferral, 'the time limit has passed');
    this.#report(deferral, 'timeout', EIO);
    this.#deny(deferral, EIO);
    this.#pump();
  }

  #refuse(deferral: Deferral, reason: 'inlineOnly' | 'full', errno: number): void {
    this.refused++;
    this.#end(deferral, `deferral refused: ${reason}`);
    this.#report(deferral, reason, errno);
    this.#deny(deferral, errno);
  }

  #deny({ call, otherwise }: Deferral, errno: number): void {
    if (otherwise === undefined) this.#host.errno(call, errno);
    else this.#host.refuse(call, otherwise);
  }

  /** @param reason why the work is not wanted any more; undefined when it is done */
  #end(deferral: Deferral, reason: string | undefined): void {
    deferral.over = true;
    deferral.context.end();
    if (deferral.timer !== undefined) clearTimeout(deferral.timer);
    this.#running.delete(deferral);
    if (reason !== undefined) deferral.call.abort(new DOMException(`Answer not wanted: ${reason}.`, 'AbortError'));
  }

  #pump(): void {
    this.#queue = this.#queue.filter((deferral) => !deferral.over);
    while (!this.#closed && this.#queue.length > 0 && this.#running.size < this.#limits.maxDeferred) {
      this.#run(this.#queue.shift()!);
    }
  }

  #report({ call, link }: Deferral, reason: 'inlineOnly' | 'full' | 'timeout' | 'nested', errno: number): void {
    this.#reports.push({ type: 'deferral', owner: link.owner, reason, errno, ...where(call) });
  }
}

function discard(value: unknown): void {
  if (isAction(value)) value.discard();
}

function ignore(): void {}
