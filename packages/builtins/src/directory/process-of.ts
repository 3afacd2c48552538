/**
 * The process that a thread belongs to.
 *
 * proc_pid_status(5), Tgid
 */
import { readFileSync } from 'node:fs';

/** @throws what keeps this process from looking; ENOENT or ESRCH: the thread is gone */
export function processOf(tid: number): number {
  return Number(/^Tgid:\s*(\d+)/m.exec(readFileSync(`/proc/${tid}/status`, 'latin1'))?.[1]);
}
