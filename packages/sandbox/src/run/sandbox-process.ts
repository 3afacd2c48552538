/**
 * A run: one program and everything it starts, from clone to the last process gone.
 *
 * The guard tells what happens and does what is asked; the supervisor answers the program's calls. When the guard
 * has ended, no process of the tree is left, and only then a wait resolves.
 */
import type { Supervisor, SupervisorReport, SupervisorStats } from '@sandlock/dispatch';
import { type GuardCallbacks, type GuardedProcess, monotonicMs, type StartStep, type TargetExit } from '@sandlock/sys';
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';

import type { CgroupLimits } from '../cgroup/limits.js';
import type { RunCgroup } from '../cgroup/run-cgroup.js';
import type { CgroupUse } from '../cgroup/usage.js';
import { ProcessError } from '../errors.js';
import { protectionReports } from '../landlock/protection-status.js';
import { abortError } from './abort-error.js';
import type { Confinement } from './confinement.js';
import { deferred } from './deferred.js';
import { ProgramStreams } from './program-streams.js';
import { runResult, type RunResult } from './result.js';
import { maxBufferBytes, type StartOptions } from './run-options.js';
import { startError } from './start-error.js';
import type { StdioPlan } from './stdio.js';
import { Supervision } from './supervision.js';

const { SIGCONT, SIGKILL, SIGSTOP, SIGTERM } = constants.signals;

/** What a launched process is made of. The process owns all of it. */
export interface LaunchParts {
  readonly name: string;
  readonly program: string;
  readonly confinement: Confinement;
  readonly cgroup: RunCgroup | undefined;
  readonly stdio: StdioPlan;
  readonly options: StartOptions;
  readonly parked: boolean;
  readonly spawn: (callbacks: GuardCallbacks) => GuardedProcess;
  /** Called once, when nothing of the run is left. */
  readonly released: () => void;
}

export interface SandboxProcessEvents {
  /** The program runs: exec has happened. */
  spawn: [];
  exit: [RunResult];
  /** The program was stopped by this signal; an interactive one no longer has the terminal. */
  stop: [number];
  continue: [];
  /** What the supervisor noticed: a handler that failed, an injection that did not work. */
  report: [SupervisorReport];
}

export class SandboxProcess extends EventEmitter<SandboxProcessEvents> {
  /** Also the host name the program sees. */
  readonly name: string;
  readonly #parts: LaunchParts;
  readonly #guarded: GuardedProcess;
  readonly #started = deferred<number>();
  readonly #parked = deferred();
  readonly #execed = deferred();
  readonly #ended = deferred<RunResult>();
  readonly #startedAt = monotonicMs();
  readonly #streams: ProgramStreams;
  readonly #supervision: Supervision;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #onAbort = (): void => this.#abort();
  #waitKillable = false;
  #pid: number | undefined;
  #exit: TargetExit | undefined;
  #failure: Error | undefined;
  #timedOut = false;
  /** We sent the SIGKILL. */
  #killed = false;
  #over = false;
  #released = false;

  /** @throws {SyscallError} the guard could not be started; the parts are released then */
  constructor(parts: LaunchParts) {
    super();
    this.name = parts.name;
    this.#parts = parts;
    const { stdio, options } = parts;
    this.#supervision = new Supervision(parts.confinement, {
      program: () => this.#pid,
      killTree: () => this.#kill(),
      report: (report) => void this.emit('report', report),
      failed: (error) => this.#fail(error),
    });
    try {
      this.#guarded = parts.spawn({
        started: (pid) => {
          this.#pid = pid;
          this.#started.resolve(pid);
        },
        parked: () => this.#parked.resolve(undefined),
        listener: (fd, waitKillable) => {
          this.#waitKillable = waitKillable;
          this.#supervision.start(fd);
        },
        execed: () => {
          this.#execed.resolve(undefined);
          this.emit('spawn');
        },
        failed: (step, errno) => this.#failed(step, errno),
        stopped: (signal) => void this.emit('stop', signal),
        continued: () => void this.emit('continue'),
        exited: (exit) => (this.#exit = exit),
        ended: (clean) => void this.#finish(clean),
      });
    } catch (error) {
      stdio.closeOurSide();
      throw error;
    } finally {
      stdio.closeProgramSide();
    }
    this.#streams = new ProgramStreams(stdio, maxBufferBytes(options.maxBuffer));
    if (options.timeout !== undefined) this.#arm(options.timeout, () => this.#expire());
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#abort();
    this.#supervision.prepare();
  }

  /** Process id of the program; undefined before it exists. */
  get pid(): number | undefined {
    return this.#pid;
  }

  get isRunning(): boolean {
    return this.#pid !== undefined && this.#exit === undefined && !this.#over;
  }

  /** The pipe to its stdin, or null. Whoever takes it ends it; untaken, {@link wait} does. */
  get stdin(): Writable | null {
    return this.#streams.take(0);
  }

  /**
   * The pipe from its stdout, or null. Taken here, it is not captured: whoever takes it reads it. Take it before
   * waiting, and before the program has ended: what nobody took by then is captured.
   */
  get stdout(): Readable | null {
    return this.#streams.take(1);
  }

  get stderr(): Readable | null {
    return this.#streams.take(2);
  }

  /** Resolves when there is a process, at the latest with the error that there is none. */
  async whenStarted(): Promise<number> {
    return this.#started.promise;
  }

  /** Resolves when a created process is confined and waits for {@link start}. */
  async whenParked(): Promise<void> {
    return this.#parked.promise;
  }

  /** Resolves when the program itself runs. @throws {ProcessError | ConfinementError} it could not be started */
  async whenExecuted(): Promise<void> {
    return this.#execed.promise;
  }

  /**
   * Lets a created program go, and resolves when it runs.
   *
   * @throws {ProcessError} ERR_SANDLOCK_EXEC, _CHILD_SETUP; ERR_SANDLOCK_ALREADY_RUNNING when it was not created, or started before
   * @throws {ConfinementError} the filter was refused
   */
  async start(): Promise<void> {
    if (!this.#parts.parked || this.#released) {
      throw new ProcessError('ERR_SANDLOCK_ALREADY_RUNNING', 'This process was started already. Only create() makes one that waits.');
    }
    this.#released = true;
    this.#guarded.release();
    return this.#execed.promise;
  }

  /**
   * Resolves when the program has ended and no process of the tree is left. Every call gives the same result.
   *
   * Ends a stdin pipe that was not taken, and captures stdout and stderr where they are pipes that were not taken.
   *
   * @throws {ProcessError | ConfinementError} it could not be started
   * @throws {DOMException} AbortError
   */
  wait(): Promise<RunResult> {
    this.#streams.endInput();
    this.#streams.capture();
    return this.#ended.promise;
  }

  /** Begins to capture what was not taken. */
  capture(): void {
    this.#streams.capture();
  }

  /** SIGKILL to every process of the tree; resolves when they are gone. Once it has ended, nothing happens. */
  async kill(): Promise<void> {
    this.#kill();
    await this.#ended.promise.catch(() => undefined);
  }

  /** Sends a signal to the program's process group. @throws {ProcessError} ERR_SANDLOCK_NOT_RUNNING */
  signal(signal: NodeJS.Signals | number): void {
    const number = typeof signal === 'number' ? signal : constants.signals[signal];
    if (!Number.isInteger(number) || number < 1 || number > 64) throw new TypeError(`There is no signal ${String(signal)}.`);
    this.#mustRun();
    if (number === SIGKILL) this.#killed = true;
    this.#guarded.signal(number);
  }

  /** Stops every process of the tree, also those that left the group. @throws {ProcessError} ERR_SANDLOCK_NOT_RUNNING */
  pause(): void {
    this.#mustRun();
    this.#guarded.signalTree(SIGSTOP);
  }

  /** Continues them. @throws {ProcessError} ERR_SANDLOCK_NOT_RUNNING */
  resume(): void {
    this.#mustRun();
    this.#guarded.signalTree(SIGCONT);
  }

  /** Gives the terminal to an interactive program, and continues it. */
  foreground(): void {
    this.#guarded.foreground();
  }

  /** What the supervisor was asked so far; null without one. */
  stats(): SupervisorStats | null {
    return this.#supervision.stats();
  }

  /** Answers a call that a handler holds. @returns false when it is not held (any more) */
  release(...call: Parameters<Supervisor['release']>): boolean {
    return this.#supervision.release(...call);
  }

  /** Lets the event loop end while the program runs; the program then ends with this process. */
  unref(): void {
    this.#guarded.unref();
    this.#supervision.unref();
    this.#streams.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#streams.destroy();
  }

  #mustRun(): void {
    if (this.isRunning) return;
    throw new ProcessError('ERR_SANDLOCK_NOT_RUNNING', `The process is not running: it ${this.#exit ? 'has ended' : 'does not exist yet'}.`);
  }

  #failed(step: StartStep, errno: number): void {
    this.#failure ??= startError(step, errno, this.#parts.program);
  }

  /** Something of ours went wrong: nothing may go on unsupervised. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#kill();
  }

  #kill(): void {
    this.#killed = true;
    this.#guarded.kill();
  }

  #arm(delayMs: number, action: () => void): void {
    this.#timers.push(setTimeout(action, Math.max(1, delayMs)));
  }

  #expire(): void {
    this.#timedOut = true;
    const grace = this.#parts.options.killGrace ?? 0;
    if (grace > 0 && this.isRunning) {
      this.#guarded.signal(SIGTERM);
      this.#guarded.signalTree(SIGCONT); // a stopped program could not act on it
      this.#arm(grace, () => this.#kill());
    } else {
      this.#kill();
    }
  }

  #abort(): void {
    this.#fail(abortError(this.#parts.options.signal));
  }

  async #finish(clean: boolean): Promise<void> {
    this.#timers.forEach(clearTimeout);
    this.#parts.options.signal?.removeEventListener('abort', this.#onAbort);
    const exit = this.#exit;
    if (!clean && exit === undefined) {
      this.#failure ??= new ProcessError('ERR_SANDLOCK_CHILD_SETUP', 'The guard process was killed from outside; the program was ended with it.');
    }
    try {
      // The listener goes first: whatever should be left can do nothing that needs an answer.
      await this.#supervision.close();
    } catch (error) {
      this.#failure ??= error as Error;
    }
    const use = await this.#parts.cgroup?.end();
    await this.#streams.finish();
    this.#over = true;
    this.#parts.released();
    this.#settle(exit, use);
  }

  #settle(exit: TargetExit | undefined, use: CgroupUse | undefined): void {
    // Timed out before exec: a result, as after it. Only what the program could have printed is missing.
    const failure = this.#timedOut && exit !== undefined ? undefined : this.#failure;
    if (failure !== undefined || exit === undefined) {
      const error = failure ?? new ProcessError('ERR_SANDLOCK_CHILD_SETUP', 'The program ended before it was executed.');
      for (const { reject } of [this.#started, this.#parked, this.#execed, this.#ended]) reject(error);
      return;
    }
    const { confinement: { memory }, cgroup } = this.#parts;
    const ledger = this.#pid !== undefined && memory?.killed(this.#pid) === true;
    const result = runResult({
      exit,
      timedOut: this.#timedOut,
      // The kernel counts whom it ended and does not say who that was.
      memoryExceeded: exit.signal === SIGKILL && (ledger || (!this.#killed && (use?.oomKills ?? 0) > 0)),
      peakMemoryBytes: Math.max(memory?.peak() ?? 0, use?.peakBytes ?? 0),
      stdout: this.#streams.captured(1),
      stderr: this.#streams.captured(2),
      truncated: this.#streams.truncated,
      durationMs: monotonicMs() - this.#startedAt,
      peakProcesses: this.#parts.confinement.peakProcesses(),
      capabilities: {
        landlockAbi: this.#parts.confinement.landlock.abi,
        protections: protectionReports(this.#parts.confinement.landlock.statuses),
        supervised: this.#supervision.hasStarted,
        waitKillable: this.#waitKillable,
        syncWakeUp: this.#supervision.syncWakeUp,
        cgroup: cgroup === undefined ? null : Object.keys(cgroup.limits) as (keyof CgroupLimits)[],
      },
    });
    const killed = new ProcessError('ERR_SANDLOCK_NOT_RUNNING', 'The process was ended before it was executed.');
    this.#parked.reject(killed);
    this.#execed.reject(killed);
    this.#ended.resolve(result);
    this.emit('exit', result);
  }
}
