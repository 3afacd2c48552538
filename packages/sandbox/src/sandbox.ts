/**
 * Sandbox: options once, runs many.
 *
 * An object is policy and nothing else: immutable, without a process of its own, so any number of runs may go on
 * at once.
 */
import { nativeArch } from '@sandlock/bpf';
import type { HandlerBinding } from '@sandlock/dispatch';
import { landlockAbiVersion } from '@sandlock/sys';

import { ExitError, UnsupportedPlatformError } from './errors.js';
import { FilterCache, type FilterStore } from './filter/filter-cache.js';
import { protectionReports, protectionStatuses, type ProtectionReport } from './landlock/protection-status.js';
import type { ParsedOptions, SandboxOptions } from './options/option-table.js';
import { buildPolicy } from './policy/build-policy.js';
import type { Policy } from './policy/policy.js';
import { writeProfile } from './profile/write-profile.js';
import { feed } from './run/feed.js';
import { KeptFiles } from './run/kept-files.js';
import { launch, type LaunchInput } from './run/launch.js';
import type { CapturedResult, RunResult } from './run/result.js';
import type { PopenOptions, RunOptions, StartOptions } from './run/run-options.js';
import type { SandboxProcess } from './run/sandbox-process.js';

/** A program and its arguments. There is no shell in between. */
export type Command = readonly (string | Uint8Array)[];

export interface SandboxStores {
  /** Left out: filters are compiled in each process. */
  readonly filterStore?: FilterStore;
}

export class Sandbox {
  /** As given; frozen. */
  readonly options: SandboxOptions;
  readonly #policy: Policy;
  readonly #parsed: ParsedOptions;
  readonly #handlers: readonly HandlerBinding[];
  readonly #filterStore: FilterStore | undefined;
  readonly #filters: FilterCache;
  readonly #files: KeptFiles;

  /** @throws {ConfigError} with every issue at once @throws {UnsupportedPlatformError} */
  constructor(options: SandboxOptions = {}, { filterStore }: SandboxStores = {}) {
    if (process.platform !== 'linux') throw new UnsupportedPlatformError(`Sandlock needs Linux; this is ${process.platform}.`);
    const { policy, parsed, handlers } = buildPolicy(options, nativeArch(process.arch));
    this.options = Object.freeze({ ...options });
    this.#policy = policy;
    this.#parsed = parsed;
    this.#handlers = handlers;
    this.#filterStore = filterStore;
    this.#filters = new FilterCache(filterStore);
    this.#files = new KeptFiles(policy);
  }

  /** A new sandbox with some options replaced. @throws {ConfigError} */
  with(overrides: SandboxOptions): Sandbox {
    return new Sandbox({ ...this.options, ...overrides }, { ...(this.#filterStore && { filterStore: this.#filterStore }) });
  }

  /**
   * Runs a program to its end and captures its stdout and stderr. Its stdin is the caller's, unless `input` is given.
   *
   * A program that fails is a result. Resolves once no process of the run is left.
   *
   * @throws {ConfigError | ConfinementError | ProcessError} it could not be started
   * @throws {ExitError} with `check`, unless the exit code is 0
   * @throws {DOMException} AbortError
   */
  async run(cmd: Command, options: RunOptions = {}): Promise<CapturedResult> {
    let call: RunOptions = {};
    const child = this.#launch(cmd, options, { stdio: (checked) => {
      call = checked;
      return [checked.input === undefined ? 'inherit' : 'pipe', 'pipe', 'pipe'];
    } });
    const { input, check } = call;
    try {
      if (input !== undefined) feed(child.stdin!, input);
    } catch (error) {
      await child.kill();
      throw error;
    }
    const result = (await child.wait()) as CapturedResult;
    if (check) mustSucceed(cmd, result);
    return result;
  }

  /**
   * As {@link run}, with a script for `/bin/sh -c`. The shell is a program like any other: it has to be granted, and what of the
   * script comes from others has to be quoted.
   *
   * @throws as {@link run}
   */
  async runShell(script: string, options: RunOptions = {}): Promise<CapturedResult> {
    return this.run(['/bin/sh', '-c', script], options);
  }

  /**
   * Runs a program on the caller's own streams, in the caller's session, with its terminal if there is one.
   *
   * @throws as {@link run}
   */
  async runInteractive(cmd: Command, options: StartOptions = {}): Promise<RunResult> {
    return (await this.popenInteractive(cmd, options)).wait();
  }

  /** The process behind {@link runInteractive}, for callers that forward signals or do job control. */
  async popenInteractive(cmd: Command, options: StartOptions = {}): Promise<SandboxProcess> {
    const child = this.#launch(cmd, options, { stdio: () => ['inherit', 'inherit', 'inherit'], interactive: true });
    await child.whenStarted();
    return child;
  }

  /**
   * Starts a program and returns while it runs; each stream is a pipe unless said otherwise.
   *
   * Whether exec succeeded shows in `whenExecuted()` and `wait()`.
   */
  async popen(cmd: Command, options: PopenOptions = {}): Promise<SandboxProcess> {
    const child = this.#launch(cmd, options, { stdio: streams });
    await child.whenStarted();
    return child;
  }

  /** As {@link popen}, but resolves when the program itself runs. @throws {ProcessError} ERR_SANDLOCK_EXEC and the like */
  async spawn(cmd: Command, options: PopenOptions = {}): Promise<SandboxProcess> {
    const child = this.#launch(cmd, options, { stdio: streams });
    await child.whenExecuted();
    return child;
  }

  /** Makes a process that is confined and waits; its `start()` lets the program go. */
  async create(cmd: Command, options: PopenOptions = {}): Promise<SandboxProcess> {
    const child = this.#launch(cmd, options, { stdio: streams, park: true });
    await child.whenParked();
    return child;
  }

  /**
   * The profile that gives the same policy wherever it is loaded: with every path absolute, and without what is at its default.
   *
   * @throws {ConfigError} every option that no profile can hold, such as handlers
   */
  toProfile(): Promise<string> {
    return writeProfile(this.#parsed);
  }

  /** What each protection would be on this machine. */
  protections(): ProtectionReport[] {
    return protectionReports(protectionStatuses(this.#policy.protections, landlockAbiVersion()));
  }

  #launch(cmd: Command, options: PopenOptions & RunOptions, how: How): SandboxProcess {
    return launch({ policy: this.#policy, handlers: this.#handlers, filters: this.#filters, files: this.#files, cmd, options, ...how });
  }
}

type How = Pick<LaunchInput, 'stdio' | 'interactive' | 'park'>;

function streams({ stdin = 'pipe', stdout = 'pipe', stderr = 'pipe' }: PopenOptions): ReturnType<LaunchInput['stdio']> {
  return [stdin, stdout, stderr];
}

function mustSucceed(cmd: Command, result: RunResult): void {
  if (result.ok) return;
  const how = result.reason === 'timeout' ? 'did not end in time'
    : result.signal === null ? `ended with exit code ${result.exitCode}` : `was ended by ${result.signal}`;
  throw new ExitError(`${JSON.stringify(String(cmd[0]))} ${how}.`, result);
}
