/**
 * The file that a call of a target is about, pinned: found as the target finds it, with its rights.
 *
 * What is asked of the pin or done to it concerns that file, whoever renames what meanwhile. The supervisor stands outside of
 * the target's Landlock domain, which keeps the target from the entries of processes that are not its own; so of a
 * procfs nothing is served but the asker's own and what belongs to no process. The rest is the kernel's to answer, with
 * the target's own rights.
 * path_resolution(7), proc_pid_fd(5), landlock(7)
 */
import { action, TargetFailure, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { AT_FDCWD, close, O_NOFOLLOW, O_PATH, openat2, RESOLVE_NO_SYMLINKS, S_IFDIR, S_IFLNK, S_IFMT, type ErrnoName } from '@sandlock/sys';
import { fstatSync, statfsSync } from 'node:fs';

import { asTarget } from '../open/as-target.js';
import { errnoOf } from '../open/errno-of.js';
import { pinBase } from '../open/pin-base.js';
import { readTaskStatus } from '../open/task-status.js';
import { nameOf, Walk, type Walked } from '../open/walk.js';
import { procName } from '../views/proc-name.js';

export interface FileRequest {
  /** AT_FDCWD or a descriptor of the target. */
  readonly dirfd: number;
  /** undefined or empty: what `dirfd` is of. */
  readonly path: Buffer | undefined;
  readonly follow: boolean;
}

export interface PinnedFile {
  /** Of O_PATH. */
  readonly fd: number;
  /** Does what `work` does with the target's rights. */
  readonly guarded: <T>(work: () => T) => T;
}

const SLASH = 0x2f;
/** include/uapi/linux/magic.h */
const PROC_SUPER_MAGIC = 0x9fa0;
/** What a path that leads nowhere is answered with. For all other errors the kernel is asked, who may see further. */
const NOWHERE: ReadonlySet<ErrnoName> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** @param use is given the file, which is pinned until it returns */
export function withPinnedFile(context: HandlerContext, request: FileRequest, use: (file: PinnedFile) => NotifAction): NotifAction {
  const status = readTaskStatus(context.pid);
  if (status === undefined) return new TargetFailure('noAccess').deny();
  const guarded = <T>(work: () => T): T => asTarget(context.pid, status, work);
  const { path, dirfd, follow } = request;
  const named = path !== undefined && path.length > 0;
  const base = named && path[0] === SLASH ? AT_FDCWD : pinBase(context, dirfd);
  if (base instanceof TargetFailure) return context.isValid() ? base.deny() : new TargetFailure('gone').deny();
  try {
    // What was read from /proc is of this target only if its call still waits.
    if (!context.isValid()) return new TargetFailure('gone').deny();
    if (!named) return use({ fd: base, guarded });
    const isOwn = (name: string): boolean => (procName(name).owner ?? { tgid: status.tgid }).tgid === status.tgid;
    const walk = new Walk({
      base, path: path.toString('latin1'), follow, resolve: 0, asker: { pid: context.pid, tgid: status.tgid },
      mayFollowMagic: (name) => procName(name).owner?.tgid === status.tgid,
    });
    try {
      const walked = guarded(() => pinned(walk, base, path, follow));
      if (!context.isValid()) return new TargetFailure('gone').deny();
      if (walked.kind === 'missing') return action.errno('ENOENT');
      if (walked.kind === 'failed' && NOWHERE.has(walked.errno)) return action.errno(walked.errno);
      if (walked.kind !== 'object') return action.continue();
      if (walk.endsInSlash && (walked.stat.mode & S_IFMT) !== S_IFDIR) return action.errno('ENOTDIR');
      if (isProcfs(walked.fd) && !isOwn(nameOf(walked.fd))) return action.continue();
      return use({ fd: walked.fd, guarded });
    } finally {
      walk.close();
    }
  } finally {
    if (base !== AT_FDCWD) close(base);
  }
}

/** Most paths have no link in them, and the kernel walks those at once. */
function pinned(walk: Walk, base: number, path: Buffer, follow: boolean): Walked {
  try {
    const fd = walk.adopt(openat2(base, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
    const stat = fstatSync(fd);
    if ((stat.mode & S_IFMT) === S_IFLNK && follow) return walk.run();
    return { kind: 'object', fd, stat, parent: undefined };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno === 'ELOOP' ? walk.run() : { kind: 'failed', errno };
  }
}

function isProcfs(fd: number): boolean {
  return statfsSync(`/proc/self/fd/${fd}`).type === PROC_SUPER_MAGIC;
}
