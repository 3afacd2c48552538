/**
 * The errors of this package.
 *
 * One class for each of the ways in which a run does not come about: what was asked for makes no sense
 * (ConfigError), the profile that it stands in cannot be had (ProfileError), this machine cannot enforce it (ConfinementError, UnsupportedPlatformError), or the process
 * could not be started or handled (ProcessError). A program that ran and failed is a result; only `check: true`
 * makes an ExitError of it. The `code` is for programs, the message for people.
 */
import { SandlockError } from '@sandlock/sys';

/** One thing that is wrong with the options, and where. */
export interface ConfigIssue {
  /** The option, as in `netAllow[1]` or `user.uid`. */
  readonly path: string;
  readonly message: string;
  /** What to write instead, where that can be said. */
  readonly hint?: string;
}

/** Options that cannot be: every issue at once. */
export class ConfigError extends SandlockError {
  declare readonly code: 'ERR_SANDLOCK_CONFIG';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super('ERR_SANDLOCK_CONFIG', joinLines(issues.map(describeIssue), 'options are wrong'));
    this.issues = freezeIssues(issues);
  }
}

export type ProfileErrorCode =
  /** There is no such profile, or no folder that profiles would be in. */
  | 'ERR_SANDLOCK_PROFILE_NOT_FOUND'
  /** It cannot be read, is no TOML, or says what no profile says. */
  | 'ERR_SANDLOCK_PROFILE_INVALID';

/** A profile that cannot be used: every issue at once. Their paths are keys, as in `[filesystem].read[1]`. */
export class ProfileError extends SandlockError {
  declare readonly code: ProfileErrorCode;
  /** Which one, for people: `profile "build"`, or the path of its file. */
  readonly profile: string;
  readonly issues: readonly ConfigIssue[];

  constructor(code: ProfileErrorCode, profile: string, issues: readonly ConfigIssue[], cause?: unknown) {
    super(code, joinLines(issues.map((issue) => `${profile}: ${describeIssue(issue)}`), 'mistakes in a profile'), causeOf({ cause }));
    this.profile = profile;
    this.issues = freezeIssues(issues);
  }
}

export type ConfinementErrorCode =
  /** The kernel has no Landlock, or it is switched off. */
  | 'ERR_SANDLOCK_LANDLOCK_UNAVAILABLE'
  /** A protection that may not be left out needs a newer Landlock ABI. */
  | 'ERR_SANDLOCK_PROTECTION_UNAVAILABLE'
  /** A Landlock system call failed. */
  | 'ERR_SANDLOCK_LANDLOCK'
  /** Mounts, what is above them, or granted files were moved at every look; `path` says which. */
  | 'ERR_SANDLOCK_FILES_MOVING'
  /** The filter was refused. */
  | 'ERR_SANDLOCK_SECCOMP'
  /** A supervisor further out owns the listener; only one is possible. */
  | 'ERR_SANDLOCK_LISTENER_BUSY'
  /** What the vDSO of a process tells cannot be changed on this machine, as timeStart asks. */
  | 'ERR_SANDLOCK_VDSO'
  /** The control group that `cgroup` names cannot be used; `path` says which. */
  | 'ERR_SANDLOCK_CGROUP'
  /** confine() was given what it cannot apply to a process that already runs. */
  | 'ERR_SANDLOCK_CONFINE_UNSUPPORTED';

export interface ErrorDetails {
  /** Negative, as in Node's own system errors. */
  readonly errno?: number | undefined;
  readonly syscall?: string | undefined;
  readonly path?: string | undefined;
  readonly step?: string | undefined;
  readonly cause?: unknown;
}

export interface ConfinementDetails extends ErrorDetails {
  readonly protection?: string | undefined;
  readonly requiredAbi?: number | undefined;
  readonly hostAbi?: number | undefined;
}

/** This machine cannot enforce what was asked for, so nothing was started. */
export class ConfinementError extends SandlockError {
  declare readonly code: ConfinementErrorCode;
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
  readonly step: string | undefined;
  readonly protection: string | undefined;
  readonly requiredAbi: number | undefined;
  readonly hostAbi: number | undefined;

  constructor(code: ConfinementErrorCode, message: string, details: ConfinementDetails = {}) {
    super(code, message, causeOf(details));
    this.errno = details.errno;
    this.syscall = details.syscall;
    this.path = details.path;
    this.step = details.step;
    this.protection = details.protection;
    this.requiredAbi = details.requiredAbi;
    this.hostAbi = details.hostAbi;
  }
}

export type ProcessErrorCode =
  /** No process came about. */
  | 'ERR_SANDLOCK_SPAWN'
  /** A step between clone and exec failed; `step` and `errno` say which and why. */
  | 'ERR_SANDLOCK_CHILD_SETUP'
  /** The program could not be executed; `path` and `errno` say which and why. */
  | 'ERR_SANDLOCK_EXEC'
  | 'ERR_SANDLOCK_NAME_IN_USE'
  | 'ERR_SANDLOCK_ALREADY_RUNNING'
  | 'ERR_SANDLOCK_NOT_RUNNING';

/** A process could not be started, or is not in the state that a call needs. */
export class ProcessError extends SandlockError {
  declare readonly code: ProcessErrorCode;
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
  readonly step: string | undefined;

  constructor(code: ProcessErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, causeOf(details));
    this.errno = details.errno;
    this.syscall = details.syscall;
    this.path = details.path;
    this.step = details.step;
  }
}

/** With `check: true`: the program ended in another way than with exit code 0. */
export class ExitError<Result = unknown> extends SandlockError {
  declare readonly code: 'ERR_SANDLOCK_EXIT';
  /** What the run would have resolved with. */
  readonly result: Result;

  constructor(message: string, result: Result) {
    super('ERR_SANDLOCK_EXIT', message);
    this.result = result;
  }
}

/** Not Linux, or a processor without tables. Importing the package works everywhere; using it does not. */
export class UnsupportedPlatformError extends SandlockError {
  declare readonly code: 'ERR_SANDLOCK_UNSUPPORTED_PLATFORM';

  constructor(message: string) {
    super('ERR_SANDLOCK_UNSUPPORTED_PLATFORM', message);
  }
}

function describeIssue({ path, message, hint }: ConfigIssue): string {
  return `${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : ` ${hint}`}`;
}

function joinLines(lines: readonly string[], what: string): string {
  return lines.length === 1 ? lines[0]! : `${lines.length} ${what}:\n  ${lines.join('\n  ')}`;
}

function freezeIssues(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  return Object.freeze(issues.map((issue) => Object.freeze({ ...issue })));
}

function causeOf(details: ErrorDetails): { cause: unknown } | undefined {
  return details.cause === undefined ? undefined : { cause: details.cause };
}
