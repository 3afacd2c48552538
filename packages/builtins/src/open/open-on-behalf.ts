/**
 * Opening on behalf: the supervisor opens a file for the target, and hands over the descriptor.
 *
 * What is decided on is what gets opened: the object is pinned, judged, and opened through the pin, so nothing that the
 * target renames or writes meanwhile leads anywhere else. A decision on a path that ends in `continue` has no such
 * strength. The rest is being the kernel for the target: its directory, its ids and capabilities, its umask, its
 * terminal, and its errors in their order.
 *
 * A descriptor that only names a place (O_PATH) cannot be handed over: it is judged and left to the kernel, since nothing
 * can be read or written by it, and what is opened through it comes by here again. kernel/seccomp.c, seccomp_notify_addfd()
 *
 * Different from the kernel remain: a terminal never becomes the controlling one, O_NOFOLLOW is not among the flags
 * that F_GETFL shows, a directory's default ACL gets the umask on top, and a file is made before the target's limit on
 * descriptors is found exhausted. Closing our descriptor releases fcntl(2) locks that this process holds on the file.
 * open(2), openat2(2), path_resolution(7); fs/open.c, build_open_flags(); fs/namei.c, path_openat()
 */
import { action, decodeOpen, TargetFailure, type HandlerContext, type NotifAction, type OpenArguments } from '@sandlock/dispatch';
import {
  AT_FDCWD, close, fcntlSetFlags, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_TMPFILE,
  O_TRUNC, openat, openat2, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT,
} from '@sandlock/sys';
import { fchmodSync, fstatSync, type Stats } from 'node:fs';

import { asTarget } from './as-target.js';
import { DEV_TTY, openControllingTerminal } from './controlling-terminal.js';
import { errnoOf } from './errno-of.js';
import { patientOpen } from './patient-open.js';
import { pinBase } from './pin-base.js';
import { mayCreateOver } from './sticky.js';
import { readTaskStatus, type TaskStatus } from './task-status.js';
import { nameOf, Walk, type Walked } from './walk.js';

/** What is about to be opened. */
export interface OpenSubject {
  /** The kernel's name of what is there, or of the place where it will be made: absolute, a character a byte (latin1). */
  readonly path: string;
  /** What is there; undefined: it will be made. */
  readonly stat: Stats | undefined;
  /** An O_PATH descriptor of it, or of the directory in which it will be made. Not the judge's to close. */
  readonly fd: number;
  /** `O_*` as the target gave them. */
  readonly flags: number;
  /** Whether something can be changed by it: open for writing, made, or cut to nothing. */
  readonly writes: boolean;
  readonly asker: { readonly pid: number; readonly tgid: number };
}

/** undefined: opened. Otherwise the answer; it may own a descriptor. */
export type OpenJudge = (subject: OpenSubject) => NotifAction | undefined;

type Arguments = Extract<OpenArguments, { ok: true }>;

const SLASH = 0x2f;
/** A name that comes and goes between the look and the creation is looked at again this often. */
const MAX_ATTEMPTS = 32;

/** @returns the descriptor, an errno, or what the judge says; `continue` for O_PATH alone, unless the judge says so */
export function openOnBehalf(context: HandlerContext, judge: OpenJudge): NotifAction {
  const decoded = decodeOpen(context);
  if (!decoded.ok) return decoded.deny();
  const status = readTaskStatus(context.pid);
  if (status === undefined || !context.isValid()) return new TargetFailure('noAccess').deny();
  const args = (decoded.flags & O_PATH) === 0 ? decoded
    : { ...decoded, flags: decoded.flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) };
  const guarded = <T>(work: () => T): T => asTarget(context.pid, status, work);
  try {
    refuseFlags(context.name, decoded);
    for (let n = 0; n < MAX_ATTEMPTS; n++) {
      const answer = new Opening(context, args, status, guarded, judge).answer();
      if (answer !== 'again') return answer;
    }
    return action.errno('EAGAIN');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== undefined) return action.errno(errno);
    throw error;
  }
}

/** The kernel looks at flags before it looks at paths, and at an empty path before it looks at directories. */
function refuseFlags(call: string, { flags, mode, resolve }: Arguments): void {
  try {
    if (call === 'openat2') close(openat2(AT_FDCWD, '', flags, mode, Number(resolve)));
    else close(openat(AT_FDCWD, '', flags, mode));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

class Opening {
  readonly #context: HandlerContext;
  readonly #args: Arguments;
  readonly #status: TaskStatus;
  readonly #guarded: <T>(work: () => T) => T;
  readonly #judge: OpenJudge;

  constructor(
    context: HandlerContext, args: Arguments, status: TaskStatus, guarded: <T>(work: () => T) => T, judge: OpenJudge,
  ) {
    this.#context = context;
    this.#args = args;
    this.#status = status;
    this.#guarded = guarded;
    this.#judge = judge;
  }

  /** 'again': somebody made the name that was missing. */
  answer(): NotifAction | 'again' {
    const { flags, path, dirfd } = this.#args;
    const confined = (Number(this.#args.resolve) & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
    const base = path[0] === SLASH && !confined ? undefined : pinBase(this.#context, dirfd);
    if (base instanceof TargetFailure) return base.deny();
    const creates = (flags & O_CREAT) !== 0;
    const walk = new Walk({
      base: base ?? AT_FDCWD,
      path: path.toString('latin1'),
      follow: (flags & O_NOFOLLOW) === 0 && !(creates && (flags & O_EXCL) !== 0),
      resolve: Number(this.#args.resolve),
      asker: { pid: this.#context.pid, tgid: this.#status.tgid },
    });
    try {
      const walked = this.#guarded(() => this.#pinned(walk, base ?? AT_FDCWD));
      // What was read from /proc is of this target only if its call still waits.
      if (!this.#context.isValid()) return new TargetFailure('gone').deny();
      if (walked.kind === 'failed') return action.errno(walked.errno);
      if (creates && walk.endsInSlash) return action.errno('EISDIR');
      if (walked.kind === 'missing' && creates) return this.#create(walked);
      if (walked.kind !== 'object') return action.errno('ENOENT');
      return this.#open(walked, walk);
    } finally {
      walk.close();
      if (base !== undefined) close(base);
    }
  }

  /** Most paths have no link in them, and the kernel walks those at once. A file to be made needs its directory too. */
  #pinned(walk: Walk, base: number): Walked {
    const { path, resolve, flags } = this.#args;
    if ((flags & O_CREAT) !== 0) return walk.run();
    try {
      const fd = walk.adopt(openat2(base, path, O_PATH | O_NOFOLLOW, 0, Number(resolve) | RESOLVE_NO_SYMLINKS));
      const stat = fstatSync(fd);
      if ((stat.mode & S_IFMT) === S_IFLNK && (flags & O_NOFOLLOW) === 0) return this.#byHand(walk);
      return { kind: 'object', fd, stat, parent: undefined };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return errno === 'ELOOP' ? this.#byHand(walk) : { kind: 'failed', errno };
    }
  }

  #byHand(walk: Walk): Walked {
    // Whether every step is cached cannot be told from here. openat2(2), RESOLVE_CACHED
    return (Number(this.#args.resolve) & RESOLVE_CACHED) === 0 ? walk.run() : { kind: 'failed', errno: 'EAGAIN' };
  }

  #create({ parent, leaf }: Extract<Walked, { kind: 'missing' }>): NotifAction | 'again' {
    const { flags, mode } = this.#args;
    const refused = this.#judge(this.#subject(`${nameOf(parent)}/${leaf}`, undefined, parent));
    if (refused !== undefined) return refused;
    const permissions = mode & ~this.#status.umask;
    // Never over something that was not judged: a link, or another file.
    const making = (flags & ~O_CLOEXEC) | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    try {
      return this.#give(this.#guarded(() => {
        const fd = openat(parent, Buffer.from(leaf, 'latin1'), making, permissions);
        withoutOurUmask(fd, permissions);
        if ((flags & O_NONBLOCK) === 0) fcntlSetFlags(fd, flags);
        return fd;
      }));
    } catch (error) {
      if (errnoOf(error) === 'EEXIST' && (flags & O_EXCL) === 0) return 'again';
      throw error;
    }
  }

  #open({ fd, stat, parent }: Extract<Walked, { kind: 'object' }>, walk: Walk): NotifAction {
    const { flags, mode } = this.#args;
    const type = stat.mode & S_IFMT;
    // The kernel's order: fs/namei.c, do_open() and may_open().
    if ((flags & O_CREAT) !== 0) {
      if ((flags & O_EXCL) !== 0) return action.errno('EEXIST');
      if (type === S_IFDIR) return action.errno('EISDIR');
      const allowed = parent === undefined || this.#guarded(() => mayCreateOver(stat, fstatSync(parent)));
      if (!allowed) return action.errno('EACCES');
    }
    if (((flags & O_DIRECTORY) !== 0 || walk.endsInSlash) && type !== S_IFDIR) return action.errno('ENOTDIR');
    const refused = this.#judge(this.#subject(nameOf(fd), stat, fd));
    if (refused !== undefined) return refused;
    if ((flags & O_PATH) !== 0) return action.continue();
    if (type === S_IFLNK) return action.errno('ELOOP');
    if (type === S_IFCHR && stat.rdev === DEV_TTY) return this.#terminal();
    return patientOpen({
      pinned: fd,
      mode: stat.mode,
      flags: flags & ~(O_CREAT | O_NOFOLLOW | O_CLOEXEC | ((flags & O_TMPFILE) === O_TMPFILE ? 0 : O_EXCL)),
      permissions: mode & ~this.#status.umask,
      give: (opened) => {
        if ((flags & O_TMPFILE) === O_TMPFILE) withoutOurUmask(opened, mode & ~this.#status.umask);
        return this.#give(opened);
      },
      guarded: this.#guarded,
    });
  }

  #terminal(): NotifAction {
    const fd = openControllingTerminal(this.#status.tgid, this.#args.flags & ~(O_CREAT | O_NOFOLLOW | O_CLOEXEC), this.#guarded);
    return fd === undefined ? action.errno('ENXIO') : this.#give(fd); // tty(4)
  }

  #give(srcFd: number): NotifAction {
    return action.injectFdSend({ srcFd, newFdFlags: this.#args.flags & O_CLOEXEC });
  }

  #subject(path: string, stat: Stats | undefined, fd: number): OpenSubject {
    const { flags } = this.#args;
    return {
      path: path === '' ? '/' : path, stat, fd, flags,
      writes: (flags & O_PATH) === 0
        && ((flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0 || stat === undefined || (flags & O_TMPFILE) === O_TMPFILE),
      asker: { pid: this.#context.pid, tgid: this.#status.tgid },
    };
  }
}

/** The umask of this process was applied as well, and changing it for a moment would change it for all our threads. */
function withoutOurUmask(fd: number, permissions: number): void {
  const lost = permissions & (readTaskStatus('self')?.umask ?? 0);
  if (lost !== 0) fchmodSync(fd, (fstatSync(fd).mode & 0o7777) | lost);
}
