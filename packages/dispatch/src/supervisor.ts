/**
 * The supervisor: notification in, response out.
 *
 * Each notification is received into a reused buffer, its chain of handlers walked, and responded to. Nothing a handler does takes the loop down; a loop that cannot go on says so, once, and closes
 * the listener, after which every trapped call fails with ENOSYS: no trapped call runs unsupervised.
 * seccomp_unotify(2)
 */
import { AUDIT_ARCH, syscallName } from '@sandlock/bpf';
import { errnoName, monotonicMs } from '@sandlock/sys';
import { constants } from 'node:os';

import { isAction, type NotifAction } from './action.js';
import { Call, type Chain } from './call.js';
import { ChainWalker } from './chain-walker.js';
import { contained } from './contained.js';
import { SupervisorError } from './errors.js';
import type { OwnsGroup } from './kill-target.js';
import { checkedLimits, type SupervisorLimits } from './limits.js';
import type { Listener } from './listener.js';
import { NotificationBuffer } from './notification.js';
import { screening } from './paths-of-concern.js';
import { ReportQueue, type SupervisorReport } from './reports.js';
import { where } from './responder.js';
import type { Diagnostics, SupervisorState, SupervisorStats } from './stats.js';
import type { DispatchTable } from './table.js';

const { ENOSYS, EPIPE } = constants.errno;

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
  readonly #walker: ChainWalker;
  readonly #chains: (Chain | undefined)[] = [];
  readonly #arch: number;
  readonly #buffer = new NotificationBuffer();
  #state: SupervisorState = 'new';
  #unexpected = 0;
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
    this.#walker = new ChainWalker({
      listener: this.#listener, limits: this.#limits, reports: this.#reports,
      killTree: options.killTree, ownsGroup: options.ownsGroup, onWaiting: () => this.#sweepLater(),
    });
    const chains = options.table.chains();
    const screened = screening(chains.values());
    if (screened !== undefined) this.#listener.screen?.(this.#arch, screened);
    for (const [nr, links] of chains) {
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
    this.#listener.start(this.#buffer.bytes, (received) => this.#received(received));
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
    return this.#walker.release(id, action);
  }

  stats(): SupervisorStats {
    const syscalls: Record<string, number> = {};
    const answeredBy: Record<string, number> = {};
    let notifications = 0;
    let screened = 0;
    for (const chain of this.#chains) {
      if (chain === undefined) continue;
      const passed = this.#listener.screened?.(chain.nr) ?? 0;
      if (chain.notifications + passed === 0) continue;
      syscalls[chain.name] = chain.notifications + passed;
      notifications += chain.notifications + passed;
      screened += passed;
      chain.links.forEach((link, i) => {
        if (chain.answered[i]! > 0) answeredBy[link.owner] = (answeredBy[link.owner] ?? 0) + chain.answered[i]!;
      });
    }
    return {
      notifications, syscalls, screened, answeredBy,
      exceptions: this.#walker.exceptions,
      unexpected: this.#unexpected,
      stale: this.#walker.responder.stale,
      injectionFailures: this.#walker.responder.injectionFailures,
      sendFailures: this.#walker.responder.sendFailures,
      deferralsRefused: this.#walker.deferrals.refused,
      deferralsTimedOut: this.#walker.deferrals.timedOut,
      deferralsCancelled: this.#walker.deferrals.cancelled,
      reportsDropped: this.#reports.dropped,
    };
  }

  diagnostics(): Diagnostics {
    const now = monotonicMs();
    return {
      state: this.#state,
      syncWakeUp: this.#listener.syncWakeUp,
      deferred: this.#walker.deferrals.list().map(({ id, pid, name }) => ({ id, pid, syscall: name })),
      held: this.#walker.held.list().map(({ call, since, limitMs }) => (
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

  #received(received: number): void {
    if (this.#state !== 'running') return;
    try {
      if (received === 1) {
        this.#walker.clock.begin();
        this.#dispatch();
      } else if (received === -EPIPE) this.#hungUp();
      else this.#fatal(`Receiving failed: ${errnoName(received) ?? received}`);
    } catch (error) {
      this.#fatal('The loop failed', error);
    }
  }

  #dispatch(): void {
    const { nr, arch } = this.#buffer;
    const chain = arch === this.#arch ? this.#chains[nr] : undefined;
    if (chain === undefined) return this.#notRegistered(nr, arch);
    chain.notifications++;
    this.#walker.run(new Call(this.#buffer, chain));
  }

  /** The filter and the table disagree, which neither Landlock nor a handler would notice. */
  #notRegistered(nr: number, arch: number): void {
    this.#unexpected++;
    const name = arch === this.#arch ? syscallName(this.#table.arch, nr) : undefined;
    const chain: Chain = { nr, name: name ?? `#${nr}`, links: [], answered: [], inlineOnly: true, notifications: 0 };
    const call = new Call(this.#buffer, chain);
    this.#reports.push({ type: 'unexpected', arch, ...where(call) });
    this.#walker.responder.errno(call, ENOSYS);
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
    this.#walker.close();
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
      this.#walker.sweep();
      if (this.#walker.waiting > 0) return;
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    }, this.#limits.sweepMs).unref();
  }

  /** A thread that does not get round to its timers does not get round to notifications either. */
  #watchThread(): void {
    let last = monotonicMs();
    this.#pulse = setInterval(() => {
      const now = monotonicMs();
      const blockedMs = now - last - PULSE_MS;
      last = now;
      if (blockedMs > this.#limits.inlineLimitMs) this.#reports.push({ type: 'blocked', blockedMs });
    }, PULSE_MS).unref();
  }
}
