/**
 * Watched descriptors: those about which the supervisor has something to say, at numbers that programs hardly use.
 *
 * An open by a path that starts at a descriptor concerns views only where that is a directory whose entries have some; what
 * fstat(2) says concerns them only where the descriptor is of a view. Both are handed out by the supervisor, and put at
 * numbers that a condition on a register can tell from all others, so that calls at every other descriptor never leave
 * the kernel. AT_FDCWD is the highest number of all, so one comparison covers it together with the directories.
 *
 * Files are opened more often. The first few have the last numbers of the table that every process begins with, so that it need
 * not grow and a limit may be lowered that far; only further ones are right below the directories. Threads get none: whatever
 * another one puts at the number while the file is on its way would be closed.
 * fs/file.c, replace_fd() and NR_OPEN_DEFAULT
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';
import { lstatSync } from 'node:fs';

const COUNT = 64;
/** Above it select(2) cannot look. */
const HIGHEST = 1024;
const STANDARD_STREAMS = [0, 1, 2];
const FIRST_TABLE = 64;
const FEW = 8;

/** Numbers from the first on, below the end. */
interface Numbers {
  readonly first: number;
  readonly end: number;
}

/** @param limit soft RLIMIT_NOFILE of the target. @returns the lowest number of a watched directory */
export function watchedFdBase(limit: number): number {
  return below(Math.min(limit, HIGHEST));
}

/** That a register holds a watched directory, or AT_FDCWD. */
export function watchedFd(index: number, base: number): ArgCondition {
  return arg32(index).ge(base);
}

/** That a register holds a watched file: when all conditions of any one list hold. */
export function watchedFile(index: number, base: number): readonly (readonly ArgCondition[])[] {
  return fileNumbers(base).map(({ first, end }) => [arg32(index).ge(first), arg32(index).lt(end)]);
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
 * Nor for one of several threads, or where the kernel might give the same number to a process that shares the table without
 * being one: it gives the lowest, which is still below.
 */
export function freeWatchedFile(tid: number, base: number): number | undefined {
  return seen(() => {
    if (!isOnlyThread(tid)) return undefined;
    if (STANDARD_STREAMS.some((fd) => isFree(tid, fd))) return undefined;
    for (const { first, end } of fileNumbers(base)) {
      if (!isFree(tid, first)) continue;
      for (let fd = end - 1; fd > first; fd--) if (isFree(tid, fd)) return fd;
    }
    return undefined;
  });
}

function fileNumbers(base: number): readonly Numbers[] {
  const belowDirectories = { first: below(base), end: base };
  return belowDirectories.first < FIRST_TABLE ? [belowDirectories] : [{ first: FIRST_TABLE - FEW, end: FIRST_TABLE }, belowDirectories];
}

/** Where as many numbers begin as are watched of a kind, or half of what there is. */
function below(end: number): number {
  return end - Math.min(COUNT, end >> 1);
}

function isFree(tid: number, fd: number): boolean {
  return lstatSync(`/proc/${tid}/fd/${fd}`, { throwIfNoEntry: false }) === undefined;
}

/** A directory has two links and one for each that it holds: here, for each thread. fs/proc/base.c, proc_task_getattr() */
function isOnlyThread(tid: number): boolean {
  return lstatSync(`/proc/${tid}/task`, { throwIfNoEntry: false })?.nlink === 3;
}

/** undefined where the descriptors are not ours to see, so nothing is put there: it would replace what is. */
function seen(look: () => number | undefined): number | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
