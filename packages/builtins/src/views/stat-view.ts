/**
 * stat(2) and its like, where views are.
 *
 * A process that is no member is not there, and a file with a view has the size and the mode that its open shows.
 * Whatever else the path leads to is the kernel's to say. This hides nothing from somebody who races it: what counts
 * is what can be opened.
 * stat(2), statx(2), access(2), readlink(2), chdir(2)
 */
import { action, asInt32, TargetFailure, type FamilyHandler, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { AT_EMPTY_PATH, AT_FDCWD } from '@sandlock/sys';

import { asTarget } from '../open/as-target.js';
import { AskingTask, unlessHidden } from './asking-task.js';
import type { Concern } from './concern.js';
import { startOf, UNGUARDED, type Finder, type Found } from './find.js';
import type { Grants } from './grants.js';
import type { OwnLinks } from './own-links.js';
import { shownIdentity, type ShownIdentity } from './shown-identity.js';
import { AT_SYMLINK_NOFOLLOW } from './stat-flags.js';
import { encodeStat, encodeStatx } from './stat-layout.js';
import type { Late, ViewRequest, ViewStat } from './view.js';
import { watchedFd } from './watched-fds.js';

const W_OK_OR_X_OK = 3n; // include/linux/fs.h, MAY_EXEC | MAY_WRITE

/** How a call is read: the registers of its path, directory, flags and answer, and whether a last link is followed. */
interface Shape {
  readonly path: number;
  readonly dirfd?: number;
  readonly flags?: number;
  readonly follow?: false;
  readonly answer: (context: HandlerContext, file: ShownFile) => NotifAction;
}

interface ShownFile {
  readonly name: string;
  readonly stat: () => ViewStat | Late<ViewStat> | undefined;
  readonly began: bigint | undefined;
}

const says = (register: number, encode: (stat: ViewStat, identity: ShownIdentity) => Buffer): Shape['answer'] => (context, { name, stat: of, began }) => {
  const found = of();
  if (found === undefined) return action.errno('ENOENT');
  const give = (shown: ViewStat): NotifAction => written(context, register, encode({ began, ...shown }, shownIdentity(name, context.pid)));
  if (typeof found !== 'function') return give(found);
  return action.defer((_, signal) => found(signal).then(give, () => action.errno('EIO')));
};
const stat = (register: number): Shape['answer'] => says(register, encodeStat);
const statx: Shape['answer'] = says(4, encodeStatx);
const access = (register: number): Shape['answer'] => ({ args }) => (
  (args[register]! & W_OK_OR_X_OK) === 0n ? action.returnValue(0) : action.errno('EACCES'));
const noLink: Shape['answer'] = () => action.errno('EINVAL');
const noDirectory: Shape['answer'] = () => action.errno('ENOTDIR');

const SHAPES: Readonly<Record<string, Shape>> = {
  stat: { path: 0, answer: stat(1) },
  lstat: { path: 0, follow: false, answer: stat(1) },
  newfstatat: { path: 1, dirfd: 0, flags: 3, answer: stat(2) },
  statx: { path: 1, dirfd: 0, flags: 2, answer: statx },
  access: { path: 0, answer: access(1) },
  faccessat: { path: 1, dirfd: 0, answer: access(2) },
  faccessat2: { path: 1, dirfd: 0, flags: 3, answer: access(2) },
  readlink: { path: 0, follow: false, answer: noLink },
  readlinkat: { path: 1, dirfd: 0, follow: false, answer: noLink },
  chdir: { path: 0, answer: noDirectory },
};

export interface StatViewOptions {
  readonly finder: Finder;
  readonly concern: Concern;
  readonly links: OwnLinks;
  readonly grants: Grants;
  readonly watchedFdBase: number;
  /** In seconds since 1970: the times of files with a view. */
  readonly began?: bigint | undefined;
}

export function statHandlers(options: StatViewOptions): Readonly<Record<string, FamilyHandler>> {
  const { concern, watchedFdBase } = options;
  return Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, {
    handler: (context: HandlerContext) => looked(context, shape, options),
    concerns: concern,
    ...(shape.dirfd === undefined ? {} : { when: watchedFd(shape.dirfd, watchedFdBase) }),
    onException: 'denyEio',
  }]));
}

function looked(context: HandlerContext, shape: Shape, { finder, concern, links, grants, began }: StatViewOptions): NotifAction {
  const flags = shape.flags === undefined ? 0 : asInt32(context.args[shape.flags]!);
  // An empty path is about the descriptor itself, which is what it is; none stands for one, from Linux 6.11 on.
  if (context.args[shape.path] === 0n && (flags & AT_EMPTY_PATH) !== 0) return action.continue();
  const path = context.readPath(shape.path);
  if (!path.ok) return path.deny();
  if (path.bytes.length === 0) return action.continue();
  const dirfd = shape.dirfd === undefined ? AT_FDCWD : asInt32(context.args[shape.dirfd]!);
  const start = startOf(context, path.bytes, dirfd);
  if (start !== undefined && !concern.mayConcern(path.bytes, start) && !links.mayLeadElsewhere(path.bytes, start)) return action.continue();
  const asker = new AskingTask(context);
  const request = {
    path: path.bytes,
    dirfd,
    follow: shape.follow !== false && (flags & AT_SYMLINK_NOFOLLOW) === 0,
    resolve: 0,
    asker,
    asked: new Map<number, boolean>(),
  };
  const answer = (found: Found): NotifAction => {
    if (found.kind === 'foreign') return action.errno('ENOENT');
    if (found.kind !== 'view') return action.continue();
    const { view, name, subject } = found;
    if (view.stat === undefined || (found.endsInSlash && view.absent !== true)) return action.continue();
    const granted = view.needsGrant === false || grants.mayRead(name) || (grants.mayRead(view.path) && subject.tgid === asker.tgid);
    if (!granted) return action.continue();
    if (view.absent === true) return action.errno('ENOENT');
    const about: ViewRequest = { asker, subject, name };
    try {
      return shape.answer(context, { name, stat: () => view.stat!(about), began });
    } catch {
      return action.errno('EIO');
    }
  };
  return unlessHidden(() => {
    let given = finder.find(context, request, answer);
    if (given === UNGUARDED) {
      given = finder.find(context, { ...request, guarded: (work) => asTarget(context.pid, asker.status, work) }, answer);
    }
    if (given === UNGUARDED) throw new Error('A path that was followed with the rights of the target is asked for again.');
    // A directory that is none of the target's descriptors: the kernel's own error.
    return given instanceof TargetFailure ? given.deny() : given;
  });
}

function written(context: HandlerContext, register: number, bytes: Buffer): NotifAction {
  const result = context.writeMemory(context.args[register]!, bytes);
  return result.ok ? action.returnValue(0) : result.deny();
}
