/**
 * What a path of a target leads to, as far as views are concerned.
 *
 * The path is followed as the target would follow it. The walk ends early at a name that has a view, whether or not the
 * machine has anything there, and at a process that is none of the sandbox's.
 */
import { TargetFailure, type HandlerContext } from '@sandlock/dispatch';
import { AT_FDCWD, close, RESOLVE_BENEATH, RESOLVE_IN_ROOT } from '@sandlock/sys';
import { fstatSync, readlinkSync, statSync, type Stats } from 'node:fs';

import { pinBase } from '../open/pin-base.js';
import { nameOf, Walk } from '../open/walk.js';
import { fileIdentity } from './file-identity.js';
import type { Members } from './members.js';
import { isInProc, procName } from './proc-name.js';
import type { Asker, View } from './view.js';

export interface FindRequest {
  readonly path: Buffer;
  /** AT_FDCWD or a descriptor of the target. */
  readonly dirfd: number;
  readonly follow: boolean;
  /** RESOLVE_* */
  readonly resolve: number;
  readonly asker: Asker;
  /**
   * Does the walk with the target's rights. Left out: with ours, which take less to find out. What comes of it is told only where the
   * target would have got there, too.
   */
  readonly guarded?: (<T>(work: () => T) => T) | undefined;
  /** Whether a process is a member, as far as it was asked: a path may name each of them a hundred times, and is followed twice. */
  readonly asked: Map<number, boolean>;
}

/** The walk was done with our rights, and the target might not have got there: to be asked for again, with its own. */
export const UNGUARDED = 'unguarded';

export type Found =
  | { readonly kind: 'view'; readonly view: View; readonly name: string; readonly subject: Asker; readonly endsInSlash: boolean }
  /** The directory of a process that is not a member. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'object'; readonly fd: number; readonly stat: Stats; readonly name: string; readonly endsInSlash: boolean }
  /** For the kernel to say what is wrong. */
  | { readonly kind: 'none' };

const SLASH = 0x2f;

/**
 * What a path starts from, for a first look at its letters.
 *
 * @returns '' for an absolute path; undefined where it cannot be told, so that a closer look has to say why
 */
export function startOf({ pid }: HandlerContext, path: Buffer, dirfd: number): string | undefined {
  if (path[0] === SLASH) return '';
  if (dirfd < 0 && dirfd !== AT_FDCWD) return undefined;
  try {
    return readlinkSync(dirfd === AT_FDCWD ? `/proc/${pid}/cwd` : `/proc/${pid}/fd/${dirfd}`, { encoding: 'latin1' });
  } catch {
    return undefined;
  }
}

export class Finder {
  readonly #views: ReadonlyMap<string, View>;
  /** By what the machine has under the name of the view, where that is outside of /proc. */
  readonly #objects = new Map<string, View>();
  readonly #members: Members;

  constructor(views: Iterable<View>, members: Members) {
    this.#views = new Map([...views].map((view) => [view.path, view]));
    this.#members = members;
    for (const [path, view] of this.#views) {
      const stat = isInProc(path) || view.absent === true ? undefined : statSync(Buffer.from(path, 'latin1'), { bigint: true, throwIfNoEntry: false });
      const identity = stat && fileIdentity(stat);
      if (identity !== undefined) this.#objects.set(identity, view);
    }
  }

  /** Whether a name, canonical, is one of a view of something that is there. */
  hasView(name: string): boolean {
    const view = this.#views.get(procName(name).view);
    return view !== undefined && view.absent !== true;
  }

  /** The view of an object, by the name that the kernel has for it or, under another name, by what it is. */
  viewOf(name: string, fd: number): View | undefined {
    const view = this.#views.get(procName(name).view);
    if (view !== undefined || this.#objects.size === 0) return view;
    const identity = fileIdentity(fstatSync(fd, { bigint: true }));
    return identity === undefined ? undefined : this.#objects.get(identity);
  }

  /**
   * @param use is given what was found, whose descriptors are open until it returns
   * @returns what `use` returns, or why the directory that the path starts from could not be had, or `UNGUARDED`
   */
  find<T>(context: HandlerContext, request: FindRequest, use: (found: Found) => T): T | TargetFailure | typeof UNGUARDED {
    const { path, resolve, follow, asker } = request;
    const fromBase = path[0] !== SLASH || (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
    const base = fromBase ? pinBase(context, request.dirfd) : AT_FDCWD;
    if (base instanceof TargetFailure) return base;
    let stopped: Found | undefined;
    const isMember = (pid: number): boolean => {
      const member = request.asked.get(pid) ?? this.#members.isMember(pid);
      request.asked.set(pid, member);
      return member;
    };
    const stopAt = (name: string, last: boolean): boolean => {
      const { view: key, owner, rest } = procName(name);
      if (owner !== undefined && rest === '' && owner.pid === owner.tgid && owner.tgid !== asker.tgid && !isMember(owner.tgid)) {
        stopped = { kind: 'foreign' };
        return true;
      }
      const view = this.#views.get(key);
      if (view === undefined || (!last && view.absent !== true)) return false;
      stopped = { kind: 'view', view, name, subject: owner ?? asker, endsInSlash: false };
      return true;
    };
    const walk = new Walk({ base, path: path.toString('latin1'), follow, resolve, asker, stopAt });
    try {
      const walked = request.guarded === undefined ? walk.run() : request.guarded(() => walk.run());
      // What was read from /proc is of this target only if its call still waits.
      if (!context.isValid()) return new TargetFailure('gone');
      const { endsInSlash } = walk;
      if (walk.turned && request.guarded === undefined && (stopped !== undefined || walked.kind === 'object')) return UNGUARDED;
      if (stopped?.kind === 'view') return use({ ...stopped, endsInSlash });
      if (stopped !== undefined) return use(stopped);
      if (walked.kind !== 'object') return use({ kind: 'none' });
      return use({ kind: 'object', fd: walked.fd, stat: walked.stat, name: nameOf(walked.fd), endsInSlash });
    } finally {
      walk.close();
      if (fromBase) close(base);
    }
  }
}
