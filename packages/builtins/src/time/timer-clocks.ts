/**
 * Which clock a timer follows, by what /proc says of it.
 * proc_pid_fdinfo(5), proc_pid_timers(5)
 */
import { readWhole, unlessGone } from '../proc-file.js';

const buffer = Buffer.alloc(4096);

/** @returns undefined when the descriptor is none, or not of a timer */
export function timerfdClock(tid: number, fd: number): number | undefined {
  if (fd < 0) return undefined;
  const info = unlessGone(() => readWhole(`/proc/${tid}/fdinfo/${fd}`, buffer));
  return clockIn(info ?? '');
}

/** Some ten thousand timers. */
const MAX_LIST_BYTES = 1 << 20;

/** @returns undefined when there is no such timer @throws when there are too many to look through, or where the kernel does not list them (CONFIG_CHECKPOINT_RESTORE) */
export function timerClock(tid: number, id: number): number | undefined {
  const list = readWhole(`/proc/${tid}/timers`, buffer, MAX_LIST_BYTES);
  for (const timer of list.split(/^(?=ID: )/m)) if (timer.startsWith(`ID: ${id}\n`)) return clockIn(timer, 'ClockID');
  return undefined;
}

function clockIn(text: string, name = 'clockid'): number | undefined {
  const value = new RegExp(`^${name}:\\s*(-?\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
