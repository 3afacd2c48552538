/**
 * What a supervisor has done so far, and what it is doing.
 */
export interface SupervisorStats {
  readonly notifications: number;
  /** Notifications by call. */
  readonly syscalls: Readonly<Record<string, number>>;
  /** Of these, calls that concerned no handler and were let go on without asking any. */
  readonly screened: number;
  /** Answers by the owner of the handler that gave them; the rest went on to the kernel or was denied for a failure. */
  readonly answeredBy: Readonly<Record<string, number>>;
  /** Handlers that failed, so that their exception policy answered. */
  readonly exceptions: number;
  /** Notifications for which nothing is registered. */
  readonly unexpected: number;
  /** Answers that found nobody waiting any more. */
  readonly stale: number;
  readonly injectionFailures: number;
  readonly sendFailures: number;
  readonly deferralsRefused: number;
  readonly deferralsTimedOut: number;
  readonly deferralsCancelled: number;
  readonly reportsDropped: number;
}

export type SupervisorState =
  | 'new' | 'running'
  /** No task uses the filter any more. */
  | 'ended'
  | 'failed' | 'closed';

export interface WaitingCall {
  readonly id: bigint;
  /** A thread id. */
  readonly pid: number;
  readonly syscall: string;
}

export interface Diagnostics {
  readonly state: SupervisorState;
  readonly syncWakeUp: boolean;
  readonly deferred: readonly WaitingCall[];
  readonly held: readonly (WaitingCall & { readonly heldMs: number; readonly limitMs: number })[];
  readonly stats: SupervisorStats;
}
