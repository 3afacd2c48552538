/**
 * The chain walker: one call, from its first handler to its answer.
 *
 * Handlers are asked in order until one gives an answer or promises one. Whatever a handler does instead ends in
 * its exception policy, and whatever breaks in here ends in a denial of this one call; nothing unwinds into the loop.
 */
import { constants } from 'node:os';

import { action as actions, isAction, type NotifAction } from './action.js';
import type { Call } from './call.js';
import { allHold } from './condition.js';
import { contained, isThenable } from './contained.js';
import { CallContext } from './context.js';
import { Deferrals } from './deferral.js';
import { HandlerError } from './errors.js';
import { HeldCalls } from './held-calls.js';
import { signalTarget, type OwnsGroup } from './kill-target.js';
import type { SupervisorLimits } from './limits.js';
import type { Listener } from './listener.js';
import type { ReportQueue } from './reports.js';
import { Responder, where } from './responder.js';
import type { Link } from './table.js';
import { TurnClock } from './turn-clock.js';

const { EIO, ENOENT, ENOMEM, EPERM } = constants.errno;
const { SIGKILL } = constants.signals;

export interface WalkerOptions {
  readonly listener: Listener;
  readonly limits: SupervisorLimits;
  readonly reports: ReportQueue;
  readonly killTree: ((report: { syscall: string; pid: number; error: unknown }) => void) | undefined;
  readonly ownsGroup: OwnsGroup | undefined;
  /** A call waits for more than its handler now: it is deferred or held. */
  readonly onWaiting: () => void;
}

export class ChainWalker {
  readonly responder: Responder;
  readonly deferrals: Deferrals;
  readonly held = new HeldCalls();
  readonly clock = new TurnClock();
  /** Handlers that failed. */
  exceptions = 0;
  readonly #options: WalkerOptions;
  readonly #listener: Listener;
  readonly #limits: SupervisorLimits;
  readonly #reports: ReportQueue;

  constructor(options: WalkerOptions) {
    const { listener, limits, reports } = options;
    this.#options = options;
    this.#listener = listener;
    this.#limits = limits;
    this.#reports = reports;
    this.responder = new Responder(listener, reports);
    this.deferrals = new Deferrals({
      settle: (call, link, action) => this.#contain(call, () => this.#settle(call, link, action)),
      resume: (call) => this.#contain(call, () => this.#walk(call)),
      fail: (call, link, error) => this.#contain(call, () => this.#fail(call, link, error)),
      errno: (call, errno) => this.responder.errno(call, errno),
      refuse: (call, refusal) => this.responder.answer(call, refusal),
      isGone: (call) => this.#isGone(call),
      gone: (call) => this.responder.gone(call),
      failedInside: (call, error) => this.#failedInside(call, error),
    }, limits, reports);
  }

  /** Deferred and held calls. */
  get waiting(): number {
    return this.deferrals.running + this.deferrals.queued + this.held.size;
  }

  /** Walks a call that has just come in. The turn of the thread has begun: see {@link clock}. */
  run(call: Call): void {
    try {
      this.#walk(call);
    } catch (error) {
      this.#failedInside(call, error);
    }
  }

  /** Answers a held call, or says that there is none. */
  release(id: bigint, action: NotifAction): boolean {
    const held = this.held.take(id);
    if (held === undefined) {
      action.discard();
      return false;
    }
    this.#contain(held.call, () => this.#decide(held.call, held.link, action));
    return true;
  }

  /** Drops waiting calls whose target is gone. */
  sweep(): void {
    this.deferrals.sweep();
    for (const { call } of this.held.list()) {
      if (!this.#isGone(call)) continue;
      this.held.take(call.id);
      this.responder.gone(call);
    }
  }

  /** Answers what waits: EIO for deferred calls, EPERM for held ones. */
  close(): void {
    this.deferrals.close();
    for (const { call } of this.held.list()) {
      this.held.take(call.id);
      this.responder.errno(call, EPERM);
    }
  }

  /** Asks the handlers that are left, until one gives an answer or promises one. */
  #walk(call: Call): void {
    const { links } = call.chain;
    while (call.next < links.length) {
      const link = links[call.next++]!;
      if (link.when !== undefined && !allHold(link.when, call.args)) continue;
      const context = new CallContext(call, this.#listener);
      if (link.deferred) {
        this.deferrals.defer(call, link, context, { work: link.handle });
        return this.#options.onWaiting();
      }
      let result: unknown;
      let error: unknown;
      let failed = false;
      try {
        result = link.handle(context);
      } catch (thrown) {
        failed = true;
        error = thrown;
      }
      const tookMs = this.clock.lap();
      if (!failed && isAction(result)) {
        if (tookMs > this.#limits.inlineLimitMs && this.#isOverrun(call, link, tookMs)) {
          result.discard();
          failed = true;
          error = new HandlerError('ERR_SANDLOCK_HANDLER_TIME',
            `A handler of ${call.name} took ${Math.round(tookMs)} ms inline; the limit is ${this.#limits.inlineLimitMs} ms. `
            + 'Return a promise for what takes long.', { syscall: call.name });
        } else if (result.kind === 'continue') {
          context.end();
          continue;
        } else if (result.kind === 'defer') {
          this.deferrals.defer(call, link, context, result);
          return this.#options.onWaiting();
        } else {
          context.end();
          return this.#settle(call, link, result);
        }
      } else if (!failed && isThenable(result)) {
        this.deferrals.track(call, link, context, result);
        return this.#options.onWaiting();
      }
      context.end();
      error = failed ? error : new HandlerError('ERR_SANDLOCK_HANDLER_RESULT',
        `A handler of ${call.name} returned something that is no action.`, { syscall: call.name });
      return this.#fail(call, link, error);
    }
    this.responder.answer(call, actions.continue());
  }

  #isOverrun(call: Call, link: Link, tookMs: number): boolean {
    if (this.clock.wasBusyFor(this.#limits.inlineLimitMs)) return true;
    this.#reports.push({ type: 'slow', owner: link.owner, tookMs, ...where(call) });
    return false;
  }

  /** A released action: as if the handler had returned it just now. */
  #decide(call: Call, link: Link, action: NotifAction): void {
    if (action.kind === 'continue' && !link.terminal) return this.#walk(call);
    if (action.kind !== 'defer') return this.#settle(call, link, action);
    this.deferrals.defer(call, link, new CallContext(call, this.#listener), action);
    this.#options.onWaiting();
  }

  #settle(call: Call, link: Link, action: NotifAction): void {
    switch (action.kind) {
      case 'hold': {
        const limitMs = action.limitMs ?? this.#limits.holdLimitMs;
        this.held.hold(call, link, limitMs, () => {
          this.#reports.push({ type: 'holdTimeout', ...where(call) });
          this.responder.errno(call, EPERM);
        });
        return this.#options.onWaiting();
      }
      case 'kill': {
        const refused = signalTarget(this.#listener, call, action.target, action.signal, this.#options.ownsGroup);
        if (refused !== undefined) {
          return this.#fail(call, link, new HandlerError('ERR_SANDLOCK_HANDLER_KILL_TARGET',
            `A handler of ${call.name} asked for a signal that was not sent: ${refused}.`, { syscall: call.name }));
        }
        call.chain.answered[call.next - 1]!++;
        return this.responder.errno(call, ENOMEM);
      }
      case 'defer': // it slipped past every place that takes one
        return this.responder.errno(call, EIO);
      default:
        call.chain.answered[call.next - 1]!++;
        this.responder.answer(call, action);
    }
  }

  /** The handler failed; its exception policy answers. */
  #fail(call: Call, link: Link, error: unknown): void {
    this.exceptions++;
    this.#reports.push({ type: 'exception', owner: link.owner, policy: link.policy, error, ...where(call) });
    switch (link.policy) {
      case 'continue':
        // An observer that fails has no say; those after it keep theirs.
        return this.#walk(call);
      case 'denyEio':
        return this.responder.errno(call, EIO);
      case 'kill':
        this.#kill(call, error);
        return this.responder.errno(call, EPERM);
      case 'denyEperm':
        return this.responder.errno(call, EPERM);
    }
  }

  #kill(call: Call, error: unknown): void {
    const { killTree, ownsGroup } = this.#options;
    const killed = killTree !== undefined && contained(
      () => killTree({ syscall: call.name, pid: call.pid, error }),
      (thrown) => this.#reports.push({ type: 'callback', callback: 'killTree', error: thrown, ...where(call) }));
    if (!killed) signalTarget(this.#listener, call, 'group', SIGKILL, ownsGroup); // refused: EPERM is all there is
  }

  #contain(call: Call, step: () => void): void {
    this.clock.begin();
    try {
      step();
    } catch (error) {
      this.#failedInside(call, error);
    }
  }

  /** Our own mistake, not a handler's: denied and reported, and the loop goes on. */
  #failedInside(call: Call, error: unknown): void {
    this.exceptions++;
    this.#reports.push({ type: 'exception', owner: 'supervisor', policy: 'denyEperm', error, ...where(call) });
    this.responder.errno(call, EPERM);
  }

  #isGone(call: Call): boolean {
    return this.#listener.idValid(call.id) === -ENOENT;
  }
}
