/**
 * The supervisor: notification in, response out.
 *
 * When the listener is readable it is drained: receive into a reused buffer, walk the chain of handlers,
 * respond. Nothing a handler does takes the loop down; a loop that cannot go on says so, once, and closes
 * the listener, after which every trapped call fails with ENOSYS: no trapped call runs unsupervised.
 * seccomp_unotify(2)
 */
import { AUDIT_ARCH, syscallName } from '@sandlock/bpf';
import { errnoName } from '@sandlock/sys';
import { constants } from 'node:os';

import { action as actions, isAction, type NotifAction } from './action.js';
import { Call, type Chain } from './call.js';
import { allHold } from './condition.js';
import { contained, isThenable } from './contained.js';
import { CallContext } from './context.js';
import { Deferrals } from './deferral.js';
import { HandlerError, SupervisorError } from './errors.js';
import { HeldCalls } from './held-calls.js';
import { signalTarget, type OwnsGroup } from './kill-target.js';
import { checkedLimits, type SupervisorLimits } from './limits.js';
import type { Listener } from './listener.js';
import { NotificationBuffer } from './notification.js';
import { ReportQueue, type SupervisorReport } from './reports.js';
import { Responder, where } from './responder.js';
import type { Diagnostics, SupervisorState, SupervisorStats } from './stats.js';
import type { DispatchTable, Link } from './table.js';
import { TurnClock } from './turn-clock.js';

const { EINTR, EIO, ENOENT, ENOMEM, ENOSYS, EPERM, EPIPE } = constants.errno;

const { SIGKILL } = constants.signals;

/** How often the thread is looked at for being blocked. */
const PULSE_MS = 500;

/** Their answer may not come later: who watches exec and process creation must be able to rely on the order. */
const INLINE_ONLY: ReadonlySet<string> = new Set(['execve', 'execveat', 'fork', 'vfork', 'clone', 'clone3']);

export interface SupervisorOptions {
  /** Owned from here on: closed when the supervisor ends. */
  readonly listener: Listener;
  /** Read once, which ends registration; disposed of by {@link Supervisor.close}. */
  readonly table: DispatchTable;
  readonly limits?: Partial<SupervisorLimits>;
  /**
   * Kills every process of the sandbox: what exception policy 'kill' does. May be called again before the processes
   * are gone. Without it, or when it throws, the caller's process group is killed.
   */
  readonly killTree?: (report: { syscall: string; pid: number; error: unknown }) => void;
  readonly ownsGroup?: OwnsGroup;
  readonly onReport?: (report: SupervisorReport) => void;
  /** The loop cannot go on and targets may live: kill them. Called at most once. */
  readonly onFatal?: (error: SupervisorError) => void;
  /** No task uses the filter any more. Called at most once, and not after a fatal error. */
  readonly onEnd?: () => void;
}

export class Supervisor {
  readonly #listener: Listener;
  readonly #table: DispatchTable;
  readonly #options: SupervisorOptions;
  readonly #limits: SupervisorLimits;
  readonly #reports: ReportQueue;
  readonly #responder: Responder;
  readonly #deferrals: Deferrals;
  readonly #held = new HeldCalls();
  readonly #chains: (Chain | undefined)[] = [];
  readonly #arch: number;
  readonly #buffer = new NotificationBuffer();
  #state: SupervisorState = 'new';
  #draining = false;
  #exceptions = 0;
  #unexpected = 0;
  readonly #clock = new TurnClock();
  #sweep: NodeJS.Timeout | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#limits = checkedLimits(options.limits);
    this.#options = options;
    this.#listener = options.listener;
    this.#table = options.table;
    this.#arch = AUDIT_ARCH[options.table.arch];
    this.#reports = new ReportQueue(options.onReport, this.#limits.maxReports);
    this.#responder = new Responder(this.#listener, this.#reports);
    this.#deferrals = new Deferrals({
      settle: (call, link, action) => this.#contain(call, () => this.#settle(call, link, action)),
      resume: (call) => this.#contain(call, () => this.#walk(call)),
      fail: (call, link, error) => this.#contain(call, () => this.#fail(call, link, error)),
      errno: (call, errno) => this.#responder.errno(call, errno),
      isGone: (call) => this.#listener.idValid(call.id) === -ENOENT,
      gone: (call) => this.#responder.gone(call),
      failedInside: (call, error) => this.#failedInside(call, error),
    }, this.#limits, this.#reports);
    for (const [nr, links] of options.table.chains()) {
      const { name } = links[0]!;
      this.#chains[nr] = {
        nr, name, links, answered: links.map(() => 0), inlineOnly: INLINE_ONLY.has(name), notifications: 0,
      };
    }
  }

  /** Begins to watch the listener. Release the target only after this returned. */
  start(): void {
    if (this.#state !== 'new') {
      throw new SupervisorError('ERR_SANDLOCK_SUPERVISOR_STATE', `A supervisor starts once; this one is ${this.#state}.`);
    }
    this.#state = 'running';
    this.#listener.start(() => this.#drain());
    this.#watchThread();
  }

  /**
   * Answers a held call. `continue` goes on with the handlers after the one that held it.
   *
   * @returns false when no such call is held: it was released, timed out, or its target is gone.
   *   The action is discarded then, with a descriptor it owns.
   */
  release(id: bigint, action: NotifAction): boolean {
    if (!isAction(action)) throw new TypeError('release() takes an action.');
    const held = this.#held.take(id);
    if (held === undefined) {
      action.discard();
      return false;
    }
    this.#contain(held.call, () => this.#decide(held.call, held.link, action));
    return true;
  }

  stats(): SupervisorStats {
    const syscalls: Record<string, number> = {};
    const answeredBy: Record<string, number> = {};
    let notifications = 0;
    for (const chain of this.#chains) {
      if (chain === undefined || chain.notifications === 0) continue;
      syscalls[chain.name] = chain.notifications;
      notifications += chain.notifications;
      chain.links.forEach((link, i) => {
        if (chain.answered[i]! > 0) answeredBy[link.owner] = (answeredBy[link.owner] ?? 0) + chain.answered[i]!;
      });
    }
    return {
      notifications, syscalls, answeredBy,
      exceptions: this.#exceptions,
      unexpected: this.#unexpected,
      stale: this.#responder.stale,
      injectionFailures: this.#responder.injectionFailures,
      sendFailures: this.#responder.sendFailures,
      deferralsRefused: this.#deferrals.refused,
      deferralsTimedOut: this.#deferrals.timedOut,
      deferralsCancelled: this.#deferrals.cancelled,
      reportsDropped: this.#reports.dropped,
    };
  }

  diagnostics(): Diagnostics {
    const now = performance.now();
    return {
      state: this.#state,
      syncWakeUp: this.#listener.syncWakeUp,
      deferred: this.#deferrals.list().map(({ id, pid, name }) => ({ id, pid, syscall: name })),
      held: this.#held.list().map(({ call, since, limitMs }) => (
        { id: call.id, pid: call.pid, syscall: call.name, heldMs: now - since, limitMs })),
      stats: this.stats(),
    };
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  /**
   * Ends supervision: deferred calls get EIO, held ones EPERM, the listener is closed, and every handler is disposed of.
   * Later calls give the same promise.
   *
   * @throws {HandlerError} ERR_SANDLOCK_HANDLER_DISPOSE, after everything was done
   */
  close(): Promise<void> {
    this.#stop('closed');
    return (this.#closing ??= this.#table.dispose().finally(() => this.#reports.flush()));
  }

  // The loop

  #drain(): void {
    if (this.#draining || this.#state !== 'running') return;
    this.#draining = true;
    try {
      this.#clock.begin();
      const started = this.#clock.now;
      for (let n = 0; n < this.#limits.drainCount && this.#state === 'running'; n++) {
        const rc = this.#listener.receive(this.#buffer.bytes);
        if (rc === 1) this.#dispatch();
        else if (rc === 0) return;
        else if (rc === -EPIPE) return this.#hungUp();
        // ENOENT: withdrawn between the poll and the receive. Leaving for it would park every later call.
        else if (rc !== -EINTR && rc !== -ENOENT) return this.#fatal(`Receiving failed: ${errnoName(rc) ?? rc}`);
        // What is left makes the listener readable again, so other events of the thread get their turn.
        if (this.#clock.now - started > this.#limits.drainMs) return;
      }
    } catch (error) {
      this.#fatal('The loop failed', error);
    } finally {
      this.#draining = false;
    }
  }

  #dispatch(): void {
    const { nr, arch } = this.#buffer;
    const chain = arch === this.#arch ? this.#chains[nr] : undefined;
    if (chain === undefined) return this.#notRegistered(nr, arch);
    chain.notifications++;
    const call = new Call(this.#buffer, chain);
    try {
      this.#walk(call);
    } catch (error) {
      this.#failedInside(call, error);
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
        this.#deferrals.defer(call, link, context, link.handle);
        return this.#sweepLater();
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
      const tookMs = this.#clock.lap();
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
          this.#deferrals.defer(call, link, context, result.work);
          return this.#sweepLater();
        } else {
          context.end();
          return this.#settle(call, link, result);
        }
      } else if (!failed && isThenable(result)) {
        this.#deferrals.track(call, link, context, result);
        return this.#sweepLater();
      }
      context.end();
      error = failed ? error : new HandlerError('ERR_SANDLOCK_HANDLER_RESULT',
        `A handler of ${call.name} returned something that is no action.`, { syscall: call.name });
      return this.#fail(call, link, error);
    }
    this.#responder.answer(call, actions.continue());
  }

  #isOverrun(call: Call, link: Link, tookMs: number): boolean {
    if (this.#clock.wasBusyFor(this.#limits.inlineLimitMs)) return true;
    this.#reports.push({ type: 'slow', owner: link.owner, tookMs, ...where(call) });
    return false;
  }

  /** A released action: as if the handler had returned it just now. */
  #decide(call: Call, link: Link, action: NotifAction): void {
    if (action.kind === 'continue' && !link.terminal) return this.#walk(call);
    if (action.kind !== 'defer') return this.#settle(call, link, action);
    this.#deferrals.defer(call, link, new CallContext(call, this.#listener), action.work);
    this.#sweepLater();
  }

  #settle(call: Call, link: Link, action: NotifAction): void {
    switch (action.kind) {
      case 'hold': {
        const limitMs = action.limitMs ?? this.#limits.holdLimitMs;
        this.#held.hold(call, link, limitMs, () => {
          this.#reports.push({ type: 'holdTimeout', ...where(call) });
          this.#responder.errno(call, EPERM);
        });
        return this.#sweepLater();
      }
      case 'kill': {
        const refused = signalTarget(this.#listener, call, action.target, action.signal, this.#options.ownsGroup);
        if (refused !== undefined) {
          return this.#fail(call, link, new HandlerError('ERR_SANDLOCK_HANDLER_KILL_TARGET',
            `A handler of ${call.name} asked for a signal that was not sent: ${refused}.`, { syscall: call.name }));
        }
        call.chain.answered[call.next - 1]!++;
        return this.#responder.errno(call, ENOMEM);
      }
      case 'defer': // it slipped past every place that takes one
        return this.#responder.errno(call, EIO);
      default:
        call.chain.answered[call.next - 1]!++;
        this.#responder.answer(call, action);
    }
  }

  /** The handler failed; its exception policy answers. */
  #fail(call: Call, link: Link, error: unknown): void {
    this.#exceptions++;
    this.#reports.push({ type: 'exception', owner: link.owner, policy: link.policy, error, ...where(call) });
    switch (link.policy) {
      case 'continue':
        // An observer that fails has no say; those after it keep theirs.
        return this.#walk(call);
      case 'denyEio':
        return this.#responder.errno(call, EIO);
      case 'kill':
        this.#kill(call, error);
        return this.#responder.errno(call, EPERM);
      case 'denyEperm':
        return this.#responder.errno(call, EPERM);
    }
  }

  #kill(call: Call, error: unknown): void {
    const { killTree, ownsGroup } = this.#options;
    const killed = killTree !== undefined && contained(
      () => killTree({ syscall: call.name, pid: call.pid, error }),
      (thrown) => this.#reports.push({ type: 'callback', callback: 'killTree', error: thrown, ...where(call) }));
    if (!killed) signalTarget(this.#listener, call, 'group', SIGKILL, ownsGroup); // refused: EPERM is all there is
  }

  // What must not happen, contained

  #contain(call: Call, step: () => void): void {
    this.#clock.begin();
    try {
      step();
    } catch (error) {
      this.#failedInside(call, error);
    }
  }

  /** Our own mistake, not a handler's: denied and reported, and the loop goes on. */
  #failedInside(call: Call, error: unknown): void {
    this.#exceptions++;
    this.#reports.push({ type: 'exception', owner: 'supervisor', policy: 'denyEperm', error, ...where(call) });
    this.#responder.errno(call, EPERM);
  }

  /** The filter and the table disagree, which neither Landlock nor a handler would notice. */
  #notRegistered(nr: number, arch: number): void {
    this.#unexpected++;
    const name = arch === this.#arch ? syscallName(this.#table.arch, nr) : undefined;
    const chain: Chain = { nr, name: name ?? `#${nr}`, links: [], answered: [], inlineOnly: true, notifications: 0 };
    const call = new Call(this.#buffer, chain);
    this.#reports.push({ type: 'unexpected', arch, ...where(call) });
    this.#responder.errno(call, ENOSYS);
  }

  // The end

  #hungUp(): void {
    this.#stop('ended');
    this.#callback('onEnd', () => this.#options.onEnd?.());
  }

  #fatal(message: string, cause?: unknown): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    const error = new SupervisorError('ERR_SANDLOCK_SUPERVISOR_LISTENER',
      `${message}. The listener is closed, so every trapped call fails with ENOSYS.`, { cause });
    try {
      this.#stop('failed');
    } finally {
      this.#callback('onFatal', () => this.#options.onFatal?.(error));
    }
  }

  #stop(state: 'closed' | 'ended' | 'failed'): void {
    const was = this.#state;
    if (was === 'closed') return;
    this.#state = state;
    if (was === 'ended' || was === 'failed') return;
    clearInterval(this.#sweep);
    clearInterval(this.#pulse);
    this.#deferrals.close();
    for (const { call } of this.#held.list()) {
      this.#held.take(call.id);
      this.#responder.errno(call, EPERM);
    }
    this.#listener.close();
  }

  #callback(callback: string, run: () => unknown): void {
    contained(run, (error) => this.#reports.push({ type: 'callback', callback, error, syscall: '', nr: -1, pid: 0 }));
  }

  // Timers

  /** While calls are deferred or held, looks now and then whether they still wait. */
  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#state !== 'running') return;
    this.#sweep = setInterval(() => {
      this.#deferrals.sweep();
      for (const { call } of this.#held.list()) {
        if (this.#listener.idValid(call.id) !== -ENOENT) continue;
        this.#held.take(call.id);
        this.#responder.gone(call);
      }
      if (this.#deferrals.running + this.#deferrals.queued + this.#held.size > 0) return;
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }, this.#limits.sweepMs).unref();
  }

  /** A thread that does not get round to its timers does not get round to notifications either. */
  #watchThread(): void {
    let last = performance.now();
    this.#pulse = setInterval(() => {
      const now = performance.now();
      const blockedMs = now - last - PULSE_MS;
      last = now;
      if (blockedMs > this.#limits.inlineLimitMs) this.#reports.push({ type: 'blocked', blockedMs });
    }, PULSE_MS).unref();
  }
}
