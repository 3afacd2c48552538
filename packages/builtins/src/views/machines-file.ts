/**
 * The machine's file under the name of a view, looked at for a target.
 *
 * A program that may write to the directory can put a link in its place, and would be told of what that leads to. So a link
 * is followed with the rights of the target, which does not enter what only root may, and not into a procfs, where this
 * process sees what the target does not: descriptors and directories of processes outside.
 * openat2(2), RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS
 */
import { AT_FDCWD, close, O_PATH, openat2, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '@sandlock/sys';

import { asTarget } from '../open/as-target.js';
import { errnoOf } from '../open/errno-of.js';
import { readTaskStatus } from '../open/task-status.js';
import { nameOf } from '../open/walk.js';
import { isInProc } from './proc-name.js';

/** What these lead to is whoever asks, which would be us. */
const OF_WHO_ASKS = /^\/proc\/(?:self|thread-self)\//;

/**
 * @param name canonical, a character a byte
 * @param tid  the thread that asks; its call still waits
 * @param use  is given a descriptor of the file that only names its place, and is open until it returns
 * @returns what `use` returns; undefined: the machine has nothing there that the target could know of
 */
export function withMachinesFile<T>(name: string, tid: number, use: (fd: number) => T): T | undefined {
  if (OF_WHO_ASKS.test(name)) return undefined;
  let fd: number | undefined;
  try {
    fd = opened(name, tid);
  } catch {
    return undefined;
  }
  if (fd === undefined) return undefined;
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

function opened(name: string, tid: number): number | undefined {
  const path = Buffer.from(name, 'latin1');
  try {
    return openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
  } catch (error) {
    if (errnoOf(error) !== 'ELOOP' || isInProc(name)) throw error;
  }
  const status = readTaskStatus(tid);
  if (status === undefined) return undefined;
  const fd = asTarget(tid, status, () => openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS));
  if (!isInProcfs(fd)) return fd;
  close(fd);
  return undefined;
}

/** Where it cannot be told, it is. */
function isInProcfs(fd: number): boolean {
  try {
    return isInProc(nameOf(fd));
  } catch {
    return true;
  }
}
