/**
 * Watched descriptors: those about which the supervisor has something to say, at high numbers.
 *
 * An open by a path that starts at a descriptor concerns views only where that is a directory whose entries have some; what
 * fstat(2) says concerns them only where the descriptor is of a view. Both are handed out by the supervisor, and put at
 * numbers that a condition on a register can tell from all others, so that calls at every other descriptor never leave
 * the kernel. The files are right below the directories. AT_FDCWD is the highest number of all, so one comparison covers
 * it together with these.
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';
import { lstatSync } from 'node:fs';

const COUNT = 64;
/** Above it select(2) cannot look. */
const HIGHEST = 1024;
const STANDARD_STREAMS = [0, 1, 2];

/** @param limit soft RLIMIT_NOFILE of the target. @returns the lowest number of a watched directory */
export function watchedFdBase(limit: number): number {
  return below(Math.min(limit, HIGHEST));
}

/** That a register holds a watched directory, or AT_FDCWD. */
export function watchedFd(index: number, base: number): ArgCondition {
  return arg32(index).ge(base);
}

/** That a register holds a watched file. */
export function watchedFile(index: number, base: number): readonly ArgCondition[] {
  return [arg32(index).ge(below(base)), arg32(index).lt(base)];
}

/** @returns a watched number for a directory that is free now, as far as can be seen; undefined: none */
export function freeWatchedFd(tid: number, base: number): number | undefined {
  return seen(() => {
    for (let fd = base; fd < base + COUNT; fd++) if (isFree(tid, fd)) return fd;
    return undefined;
  });
}

/**
 * The same for a file. There is none for who has closed a standard stream: it means to replace that, by the lowest number.
 * Nor where the kernel might give the same number to another thread meanwhile: it gives the lowest, which is still below.
 */
export function freeWatchedFile(tid: number, base: number): number | undefined {
  return seen(() => {
    const lowest = below(base);
    if (STANDARD_STREAMS.some((fd) => isFree(tid, fd)) || !isFree(tid, lowest)) return undefined;
    for (let fd = base - 1; fd > lowest; fd--) if (isFree(tid, fd)) return fd;
    return undefined;
  });
}

/** Where as many numbers begin as are watched of a kind, or half of what there is. */
function below(end: number): number {
  return end - Math.min(COUNT, end >> 1);
}

function isFree(tid: number, fd: number): boolean {
  return lstatSync(`/proc/${tid}/fd/${fd}`, { throwIfNoEntry: false }) === undefined;
}

/** undefined where the descriptors are not ours to see, so nothing is put there: it would replace what is. */
function seen(look: () => number | undefined): number | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
