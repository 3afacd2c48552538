/**
 * The directory that a relative path of a target starts from, pinned.
 *
 * Opened through /proc, which also serves where pidfd_getfd(2) is denied, as in most containers, and leads to the same
 * object however it was renamed or deleted. The caller asks afterwards whether the target's call still waits: until
 * then the pid may have been somebody else's.
 */
import { TargetFailure, type HandlerContext } from '@sandlock/dispatch';
import { AT_FDCWD, O_PATH, openat } from '@sandlock/sys';

import { errnoOf } from './errno-of.js';

/** @returns an O_PATH descriptor, which the caller closes; of what is no directory too */
export function pinBase({ pid }: Pick<HandlerContext, 'pid'>, dirfd: number): number | TargetFailure {
  if (dirfd < 0 && dirfd !== AT_FDCWD) return new TargetFailure('badFd');
  try {
    return openat(AT_FDCWD, dirfd === AT_FDCWD ? `/proc/${pid}/cwd` : `/proc/${pid}/fd/${dirfd}`, O_PATH);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return new TargetFailure(errno === 'ENOENT' && dirfd !== AT_FDCWD ? 'badFd' : errno === 'EMFILE' ? 'exhausted' : 'noAccess');
  }
}
