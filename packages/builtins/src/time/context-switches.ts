/**
 * How often a thread has waited, and how often it was given a processor.
 *
 * A thread whose call we answer waits. When it has waited once more, it has gone on since: whatever the kernel does first
 * in its call has been done.
 * proc_pid_status(5), voluntary_ctxt_switches; proc_pid_schedstat(5)
 */
import { readFirst, unlessGone } from '../proc-file.js';

const buffer = Buffer.alloc(8192);

export interface ThreadRuns {
  /** The process. */
  readonly tgid: number;
  /** Times that the thread gave up its processor, and not those when it lost it. */
  readonly waits: number;
  /** Times that it was given a processor; 0 where the kernel does not count. */
  readonly turns: number;
}

/** @returns undefined when the thread is gone */
export function threadRuns(tid: number): ThreadRuns | undefined {
  return unlessGone(() => {
    const status = buffer.toString('latin1', 0, readFirst(`/proc/${tid}/status`, buffer));
    const number = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(status)?.[1] ?? NaN);
    const waits = number('voluntary_ctxt_switches');
    if (Number.isNaN(waits)) throw new Error(`/proc/${tid}/status says nothing of context switches`);
    return { tgid: number('Tgid'), waits, turns: turnsOf(tid) };
  });
}

function turnsOf(tid: number): number {
  try {
    return Number(buffer.toString('latin1', 0, readFirst(`/proc/${tid}/schedstat`, buffer)).split(' ')[2]);
  } catch {
    return 0; // no CONFIG_SCHED_INFO
  }
}
