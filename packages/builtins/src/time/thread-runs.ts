/**
 * What a thread has done since we looked: whether it has waited again, and how long it has had a processor.
 *
 * A thread whose call we answer waits. It may meet a lock of the listener on its way on, and waits for that in another state
 * than any call does that a program makes; so a wait of the common kind, beyond the one for our answer, means that it is
 * past what the kernel does first in its call.
 * proc_pid_status(5), voluntary_ctxt_switches; proc_pid_schedstat(5); proc_pid_syscall(5)
 */
import { readFileOnce } from '@sandlock/sys';

import { unlessGone } from '../proc-file.js';

const buffer = Buffer.alloc(8192);
/** 'r', as in "running"; a number otherwise. */
const RUNNING = 0x72;
/** On a processor or waiting for one; waiting for the kernel itself. */
const UNDERWAY: ReadonlySet<string | undefined> = new Set(['R', 'D']);
/** From our answer to what the kernel does first are a few microseconds. */
const LONG_NS = 1_000_000;

export interface ThreadRuns {
  /** The process. */
  readonly tgid: number;
  readonly state: string | undefined;
  /** Times that the thread gave up its processor, and not those when it lost it. */
  readonly waits: number;
  /** Time on a processor, as of its last tick or switch; 0 where the kernel does not count. */
  readonly ranNs: number;
}

/** @returns undefined when the thread is gone */
export function threadRuns(tid: number): ThreadRuns | undefined {
  return unlessGone(() => {
    const status = buffer.toString('latin1', 0, readFileOnce(`/proc/${tid}/status`, buffer));
    const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1];
    const waits = Number(field('voluntary_ctxt_switches') ?? NaN);
    if (Number.isNaN(waits)) throw new Error(`/proc/${tid}/status says nothing of context switches`);
    return { tgid: Number(field('Tgid')), state: field('State'), waits, ranNs: ranNs(tid) };
  });
}

/** Whether a thread that was asleep at the first look has gone on into its call, or out of it. */
export function hasGoneOn(before: ThreadRuns, now: ThreadRuns | undefined): boolean {
  if (now === undefined) return true;
  return (now.waits > before.waits && !UNDERWAY.has(now.state)) || now.ranNs - before.ranNs >= LONG_NS;
}

/**
 * Whether a thread is off its processor, in a call. Its notification is there a little before the thread is: counted then,
 * the wait for our own answer would be taken for the next one. The kernel makes sure of it before it shows the call.
 * lib/syscall.c, task_current_syscall()
 */
export function isAsleepInCall(tid: number): boolean {
  return unlessGone(() => readFileOnce(`/proc/${tid}/syscall`, buffer) > 0 && buffer[0] !== RUNNING) ?? false;
}

function ranNs(tid: number): number {
  try {
    return Number(buffer.toString('latin1', 0, readFileOnce(`/proc/${tid}/schedstat`, buffer)).split(' ')[0]);
  } catch {
    return 0; // no CONFIG_SCHED_INFO
  }
}
