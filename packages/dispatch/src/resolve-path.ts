/**
 * Where a path leads, as seen from the task that gave it.
 *
 * A pattern matched against the spelling of a path is dodged by `..`, by a relative path, by a symbolic link
 * or by /proc/self. So the path is followed component by component from the task's own directory, and what is
 * matched is where it ends up. It stays an observation: whoever can write the path, a link or a directory on
 * the way can change it before the kernel looks.
 * path_resolution(7), proc(5)
 */
import { AT_FDCWD } from '@sandlock/sys';
import { readlinkSync } from 'node:fs';

import type { HandlerContext } from './handler.js';
import { losslessText } from './lossless-text.js';
import type { PathArgument } from './path-arguments.js';
import { asInt32 } from './registers.js';
import { failure, type TargetFailure } from './target-result.js';

/** As the kernel: more in one path are ELOOP. path_resolution(7). */
const MAX_LINKS = 40;

export type ResolvedPath = {
  readonly ok: true;
  /** Absolute, links not followed. Lossless text. */
  readonly lexical: string;
  /** Absolute, all links followed, also a last one. Lossless text. */
  readonly real: string;
} | TargetFailure;

export function resolvePath(context: HandlerContext, argument: PathArgument): ResolvedPath {
  const path = context.readPath(argument.index);
  if (!path.ok) return path;
  // Bytes as latin1: one character each, nothing lost, and comparable with '/'.
  const given = path.bytes.toString('latin1');
  let base = '';
  if (!given.startsWith('/')) {
    const start = startOf(context, argument);
    if (typeof start !== 'string') return start;
    base = start;
  }
  const absolute = `${base}/${given}`;
  const real = follow(context, absolute);
  // What was read from /proc/<pid> is the task's only if its call still waits.
  if (!context.isValid()) return failure('gone');
  if (typeof real !== 'string') return real;
  return { ok: true, lexical: text(normalised(absolute)), real: text(real) };
}

function startOf(context: HandlerContext, { dirfd }: PathArgument): string | TargetFailure {
  const fd = dirfd === undefined ? AT_FDCWD : asInt32(context.args[dirfd]!);
  const link = fd === AT_FDCWD ? `/proc/${context.pid}/cwd` : `/proc/${context.pid}/fd/${fd}`;
  if (fd < 0 && fd !== AT_FDCWD) return failure('badFd');
  const target = readLink(link);
  if (target === 'none') return failure(fd === AT_FDCWD ? 'noAccess' : 'badFd');
  if (target === 'denied') return failure('noAccess');
  return target.text.startsWith('/') ? target.text : failure('badFd');
}

function follow(context: HandlerContext, absolute: string): string | TargetFailure {
  const left = absolute.split('/').reverse();
  let at = '';
  for (let links = 0; left.length > 0;) {
    const component = left.pop()!;
    if (component === '' || component === '.') continue;
    if (component === '..') {
      at = at.slice(0, Math.max(at.lastIndexOf('/'), 0));
      continue;
    }
    // These two are whoever looks, which would be us.
    const name = at !== '/proc' ? component
      : component === 'self' ? String(context.pid)
        : component === 'thread-self' ? `${context.pid}/task/${context.pid}` : component;
    const next = `${at}/${name}`;
    const target = readLink(next);
    if (target === 'denied') return failure('noAccess');
    if (target === 'none') {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS) return failure('noAccess');
    if (target.text.startsWith('/')) at = '';
    left.push(...target.text.split('/').reverse());
  }
  return at === '' ? '/' : at;
}

/** 'none' where there is no link, be it a file, a directory or nothing. */
function readLink(path: string): { readonly text: string } | 'none' | 'denied' {
  try {
    return { text: readlinkSync(Buffer.from(path, 'latin1'), { encoding: 'buffer' }).toString('latin1') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EINVAL' || code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? 'none' : 'denied';
  }
}

function normalised(absolute: string): string {
  const kept: string[] = [];
  for (const component of absolute.split('/')) {
    if (component === '..') kept.pop();
    else if (component !== '' && component !== '.') kept.push(component);
  }
  return `/${kept.join('/')}`;
}

function text(latin1: string): string {
  return losslessText(Buffer.from(latin1, 'latin1'));
}
