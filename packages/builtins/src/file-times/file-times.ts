/**
 * The file times family: timestamps of files by the sandbox's calendar.
 *
 * stat(2), lstat(2), fstat(2), newfstatat(2), statx(2)  ->  0 with times moved, or the kernel's errno; continue for what is of other processes
 * utimensat(2), futimesat(2), utimes(2), utime(2)  ->  0 or the kernel's errno, of times moved back; continue likewise
 */
import type { Family } from '@sandlock/dispatch';

import type { VirtualClock } from '../time/virtual-clock.js';
import { setFileTimes } from './set-file-times.js';
import { showFileTimes } from './show-file-times.js';

export interface FileTimesOptions {
  readonly clock: VirtualClock;
}

/** It answers nearly always, so families and handlers that have something to say about a path are registered before it. */
export function fileTimes({ clock }: FileTimesOptions): Family {
  return { name: 'fileTimes', handlers: { ...showFileTimes(clock), ...setFileTimes(clock) } };
}
