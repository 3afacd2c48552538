/**
 * Where the path of an open leads by its letters: from the task's own directory, `.`, `..` and `//` resolved, links not followed.
 *
 * For a view onto a file that must be found under its name. A decision on access needs more, since links and
 * whoever can move directories are not looked at.
 * path_resolution(7); openat2(2), RESOLVE_IN_ROOT and RESOLVE_BENEATH
 */
import { TargetFailure, type HandlerContext, type OpenArguments } from '@sandlock/dispatch';
import { AT_FDCWD } from '@sandlock/sys';
import { readlinkSync } from 'node:fs';

// include/uapi/linux/openat2.h
const RESOLVE_BENEATH = 0x08n;
const RESOLVE_IN_ROOT = 0x10n;

/** @returns absolute, a character a byte (latin1) */
export function lexicalPath(
  context: HandlerContext, { path, dirfd, resolve }: Extract<OpenArguments, { ok: true }>,
): string | TargetFailure {
  const given = path.toString('latin1');
  const absolute = given.startsWith('/');
  const inRoot = (resolve & RESOLVE_IN_ROOT) !== 0n;
  if (absolute && !inRoot) return normalised('', given);

  const start = startOf(context, dirfd);
  // What was read from /proc is the task's only if its call still waits.
  if (!context.isValid()) return new TargetFailure('gone');
  if (typeof start !== 'string') return start;
  if (inRoot) return normalised(start, normalised('', given));
  return normalised('', `${start}/${given}`);
}

/** Whether the kernel refuses this path with EXDEV: one that leaves its directory, under RESOLVE_BENEATH. */
export function leavesDirectory({ path, resolve }: Extract<OpenArguments, { ok: true }>): boolean {
  if ((resolve & RESOLVE_BENEATH) === 0n) return false;
  if (path[0] === 0x2f) return true;
  let depth = 0;
  for (const component of path.toString('latin1').split('/')) {
    if (component === '..') depth--;
    else if (component !== '' && component !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

function startOf(context: HandlerContext, dirfd: number): string | TargetFailure {
  if (dirfd < 0 && dirfd !== AT_FDCWD) return new TargetFailure('badFd');
  try {
    const link = dirfd === AT_FDCWD ? `/proc/${context.pid}/cwd` : `/proc/${context.pid}/fd/${dirfd}`;
    const start = readlinkSync(link, { encoding: 'buffer' }).toString('latin1');
    return start.startsWith('/') ? start : new TargetFailure('badFd'); // a pipe, a socket
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return new TargetFailure(gone && dirfd !== AT_FDCWD ? 'badFd' : 'noAccess');
  }
}

function normalised(start: string, path: string): string {
  const kept: string[] = [];
  for (const component of path.split('/')) {
    if (component === '..') kept.pop();
    else if (component !== '' && component !== '.') kept.push(component);
  }
  return `${start === '/' ? '' : start}/${kept.join('/')}`;
}
