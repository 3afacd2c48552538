/**
 * Watched descriptors: directories whose entries have views, at high numbers.
 *
 * An open by a path that starts at a descriptor concerns views only where that is such a directory. They are opened by
 * the supervisor, and put at numbers that a condition on a register can tell from all others, so that opens at
 * every other directory never leave the kernel. AT_FDCWD is the highest number of all, so one comparison
 * covers it as well.
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';
import { lstatSync } from 'node:fs';

const COUNT = 64;
/** Above it select(2) cannot look. */
const HIGHEST = 1024;

/** @param limit soft RLIMIT_NOFILE of the target. @returns the lowest watched number */
export function watchedFdBase(limit: number): number {
  const end = Math.min(limit, HIGHEST);
  return end - Math.min(COUNT, end >> 1);
}

/** That a register holds a watched descriptor, or AT_FDCWD. */
export function watchedFd(index: number, base: number): ArgCondition {
  return arg32(index).ge(base);
}

/** @returns a watched number that is free now, as far as can be seen; undefined: none */
export function freeWatchedFd(tid: number, base: number): number | undefined {
  try {
    for (let fd = base; fd < base + COUNT; fd++) {
      if (lstatSync(`/proc/${tid}/fd/${fd}`, { throwIfNoEntry: false }) === undefined) return fd;
    }
  } catch {
    // Not ours to see, so nothing is put there: it would replace what is.
  }
  return undefined;
}
