/**
 * Opens of what has a view, of what is in a procfs, of the directories that lead there, and of what is new in them.
 *
 * The kernel decides on everything else, by Landlock, and on everything that is not found here: `continue` grants
 * nothing, since none of what is served here is granted by a rule. What is served is pinned first, judged by the name
 * that the kernel has for it, and opened through the pin with the target's rights.
 */
import { action, decodeOpen, TargetFailure, type HandlerContext, type NotifAction, type OpenArguments } from '@sandlock/dispatch';
import {
  AT_FDCWD, O_ACCMODE, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_TMPFILE,
  O_TRUNC, openat, RESOLVE_BENEATH, RESOLVE_IN_ROOT, S_IFDIR, S_IFMT, S_IFREG,
} from '@sandlock/sys';
import { statSync, type Stats } from 'node:fs';

import type { PositionStore } from '../directory/position-store.js';
import { asTarget } from '../open/as-target.js';
import { errnoOf } from '../open/errno-of.js';
import { openOnBehalf } from '../open/open-on-behalf.js';
import { AskingTask, unlessHidden } from './asking-task.js';
import type { Concern } from './concern.js';
import { startOf, UNGUARDED, type Finder, type Found } from './find.js';
import type { Grants } from './grants.js';
import type { Members } from './members.js';
import type { OwnLinks } from './own-links.js';
import { isInProc, PROC, procName } from './proc-name.js';
import { refusesProcfs } from './procfs-policy.js';
import type { SelfConfined } from './self-confined.js';
import type { Asker, View } from './view.js';
import { freeWatchedFd, freeWatchedFile } from './watched-fds.js';

export interface OpenViewOptions {
  readonly finder: Finder;
  readonly concern: Concern;
  readonly links: OwnLinks;
  readonly grants: Grants;
  readonly members: Members;
  readonly confined: SelfConfined;
  readonly watchedFdBase: number;
  readonly procGranted: boolean;
  readonly positions?: PositionStore | undefined;
}

type Arguments = Extract<OpenArguments, { ok: true }>;

interface Request {
  readonly context: HandlerContext;
  readonly args: Arguments;
  readonly asker: AskingTask;
  /** By its letters, the path leads to a new entry of a divided directory. */
  readonly maybeNew: boolean;
  /** Over a link that the program may have made, the path may lead elsewhere than by its letters. */
  readonly elsewhere: boolean;
  /** The path was followed with the target's rights. */
  readonly guarded: boolean;
}

/** What a target may say about a description of its own; the rest is about the path. */
const KEPT = O_ACCMODE | O_APPEND | O_NONBLOCK | O_TRUNC | O_DIRECTORY;

export function openView(context: HandlerContext, options: OpenViewOptions): NotifAction {
  const args = decodeOpen(context);
  if (!args.ok) return args.deny();
  const confined = (Number(args.resolve) & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0; // its letters say less then
  const start = confined ? undefined : startOf(context, args.path, args.dirfd);
  const elsewhere = start !== undefined && options.links.mayLeadElsewhere(args.path, start);
  if (start !== undefined && !elsewhere && !options.concern.mayConcern(args.path, start)) return action.continue();
  const asker = new AskingTask(context);
  const { path, dirfd, flags } = args;
  const exclusive = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL);
  const follow = (flags & O_NOFOLLOW) === 0 && !exclusive;
  const maybeNew = start !== undefined && options.concern.mayBeNew(args.path, start);
  const asked = new Map<number, boolean>();
  const look = (guarded: boolean): NotifAction | TargetFailure | typeof UNGUARDED => options.finder.find(context, {
    path, dirfd, follow, resolve: Number(args.resolve), asker, asked,
    ...(guarded ? { guarded: (work) => asTarget(context.pid, asker.status, work) } : {}),
  }, (found) => answered(found, { context, args, asker, maybeNew, elsewhere, guarded }, options));
  return unlessHidden(() => {
    const first = look(false);
    const answer = first === UNGUARDED ? look(true) : first;
    if (answer === UNGUARDED) throw new Error('A path that was followed with the rights of the target is asked for again.');
    return answer instanceof TargetFailure ? answer.deny() : answer;
  });
}

function answered(found: Found, request: Request, options: OpenViewOptions): NotifAction | typeof UNGUARDED {
  switch (found.kind) {
    case 'foreign':
      return options.procGranted ? action.errno('ENOENT') : action.continue();
    case 'view':
      return onView(found.view, found.name, found.subject, found.endsInSlash, request, options);
    case 'object':
      return onObject(found, request, options);
    case 'none':
      return request.maybeNew || (request.elsewhere && !options.concern.newEntries.isEmpty) ? onNewEntry(request, options) : action.continue();
  }
}

function onView(
  view: View, name: string, subject: Asker, endsInSlash: boolean, { args: { flags }, asker }: Request,
  { grants, confined, watchedFdBase }: OpenViewOptions,
): NotifAction {
  if (!confined.reaches(asker, subject)) return action.errno('EACCES');
  const may = (granted: (path: string) => boolean): boolean => granted(name) || (granted(view.path) && subject.tgid === asker.tgid);
  if (view.needsGrant !== false && !may(grants.mayRead)) return action.errno('EACCES');
  // The kernel's order. fs/namei.c, lookup_fast_for_open()
  if (endsInSlash && view.absent !== true) return action.errno((flags & O_CREAT) === 0 ? 'ENOTDIR' : 'EISDIR');
  return view.open({
    asker, subject, name, flags, mayWrite: may(grants.mayWrite), targetFd: () => freeWatchedFile(asker.pid, watchedFdBase),
  });
}

function onObject(found: Extract<Found, { kind: 'object' }>, request: Request, options: OpenViewOptions): NotifAction | typeof UNGUARDED {
  const { name, stat, endsInSlash } = found;
  const { asker } = request;
  const type = stat.mode & S_IFMT;
  // By a magic link, /proc/self/fd/5 of something opened before, or another name of the same file.
  const view = options.finder.viewOf(name, found.fd);
  if (view !== undefined) {
    const { owner = asker } = procName(name);
    if (owner.tgid !== asker.tgid && !options.members.isMember(owner.tgid)) return action.errno('ENOENT');
    return onView(view, name, owner, endsInSlash, request, options);
  }
  if (isInProc(name) && stat.dev === procDevice()) return onProcfs(found, type, request, options);
  const { directories, newEntries } = options.concern;
  if (type !== S_IFDIR) return request.maybeNew || (request.elsewhere && newEntries.has(name)) ? onNewEntry(request, options) : action.continue();
  if (!directories.has(name === '' ? '/' : name) && !newEntries.serves(name, found.fd, stat)) return action.continue();
  if (!options.grants.mayRead(name === '' ? '/' : name)) return action.continue(); // the kernel's EACCES, or a mere place
  if (options.confined.has(asker.pid)) return action.continue();
  return request.guarded ? onDirectory(found, request, options) : UNGUARDED;
}

/** Followed anew: what is judged is what gets opened. What is not served is left to the kernel, and to its rules. */
function onNewEntry({ context }: Request, { finder, concern: { newEntries }, grants, confined }: OpenViewOptions): NotifAction {
  return openOnBehalf(context, ({ path, stat, fd, writes, asker }) => {
    if (!newEntries.serves(path, fd, stat) || confined.has(asker.pid)) return action.continue();
    if (stat !== undefined && finder.viewOf(path, fd) !== undefined) return action.errno('EACCES');
    return (writes ? grants.mayWrite(path) : grants.mayRead(path)) ? undefined : action.errno('EACCES');
  });
}

function onProcfs(found: Extract<Found, { kind: 'object' }>, type: number, request: Request, options: OpenViewOptions): NotifAction {
  if (!options.procGranted) return action.continue();
  const { args: { flags }, asker } = request;
  if (type !== S_IFDIR && type !== S_IFREG) return action.continue(); // a link that is not to be followed
  if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return action.errno('EEXIST');
  if (type === S_IFDIR && (flags & O_CREAT) !== 0) return action.errno('EISDIR');
  if (type !== S_IFDIR && (found.endsInSlash || (flags & O_DIRECTORY) !== 0)) return action.errno('ENOTDIR');
  const place = (flags & O_PATH) !== 0;
  const writes = !place && ((flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0);
  if (writes && type === S_IFDIR) return action.errno('EISDIR');
  const errno = refusesProcfs({ name: found.name, writes, asker, confined: options.confined }, options.grants, options.members);
  if (errno !== undefined) return action.errno(errno);
  if (type === S_IFDIR) return onDirectory(found, request, options);
  if (place) return action.continue();
  return opened(found.fd, flags & KEPT, request, (srcFd) => action.injectFdSend({ srcFd, newFdFlags: flags & O_CLOEXEC }));
}

/** At a watched number. The list of all processes is nothing that may be read unwatched; the others are. */
function onDirectory({ fd, name }: { fd: number; name: string }, request: Request, { watchedFdBase, positions }: OpenViewOptions): NotifAction {
  const { args: { flags }, context, asker } = request;
  if ((flags & O_ACCMODE) !== O_RDONLY && (flags & O_PATH) === 0) return action.continue(); // EISDIR
  if ((flags & (O_CREAT | O_TRUNC)) !== 0 || (flags & O_TMPFILE) === O_TMPFILE) return action.continue();
  const targetFd = freeWatchedFd(context.pid, watchedFdBase);
  const orLowest = name !== PROC;
  if (targetFd === undefined && !orLowest) return action.errno('EMFILE');
  if (targetFd !== undefined) positions?.forget(asker.tgid, targetFd); // of one that had the number before
  // A descriptor that only names a place cannot be handed over, so one that can be read stands for it.
  const answer = opened(fd, (flags & O_NONBLOCK) | O_DIRECTORY, request, (srcFd) => action.injectFdSend({
    srcFd, newFdFlags: flags & O_CLOEXEC, ...(targetFd === undefined ? {} : { targetFd, orLowest }),
  }));
  return (flags & O_PATH) !== 0 && answer.kind === 'errno' ? action.continue() : answer;
}

function opened(pinned: number, flags: number, { context, asker }: Request, give: (srcFd: number) => NotifAction): NotifAction {
  try {
    return give(asTarget(context.pid, asker.status, () => openat(AT_FDCWD, `/proc/self/fd/${pinned}`, flags | O_NOCTTY)));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== undefined) return action.errno(errno);
    throw error;
  }
}

let procDev: Stats['dev'] | undefined;

function procDevice(): Stats['dev'] {
  return (procDev ??= statSync(PROC).dev);
}
