/**
 * The views family: what a target finds in /proc, and under every name that has a view.
 *
 * Nothing below /proc is granted by Landlock, so what is not served here the kernel refuses, whatever its spelling and
 * whoever changes the path meanwhile. What is granted is served by the object that a path leads to: a view, a file of
 * a member of the sandbox, or of the machine. The same goes for files elsewhere that have views. Opens at ordinary
 * directories, and of names that no view is near, stay in the kernel or are let go on unread.
 * open(2), openat(2), openat2(2), creat(2)  ->  descriptor, errno, or continue
 * stat(2), statx(2), access(2), readlink(2), chdir(2)  ->  0, errno, or continue; where /proc is granted
 * symlink(2), symlinkat(2)  ->  continue: see OwnLinks
 * fstat(2) and its like, at numbers where files with a view are  ->  0, or continue
 * dup(2), dup2(2), dup3(2), fcntl(2) of watched descriptors  ->  descriptor, EMFILE, or continue
 * landlock_restrict_self(2), setrlimit(2), prlimit(2)  ->  continue, or EPERM: see SelfConfined
 */
import type { Family, FamilyEntry, FamilyHandler, HandlerContext, KnownEntries } from '@sandlock/dispatch';

import type { PositionStore } from '../directory/position-store.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import { concern } from './concern.js';
import { duplicateHandlers } from './duplicates.js';
import { Finder } from './find.js';
import { fstatHandlers } from './fstat-view.js';
import type { Grants } from './grants.js';
import type { Members } from './members.js';
import { openView } from './open-view.js';
import { OwnLinks } from './own-links.js';
import { SelfConfined } from './self-confined.js';
import { statHandlers } from './stat-view.js';
import type { View } from './view.js';
import { watchedFd } from './watched-fds.js';

const SECOND_NS = 1_000_000_000n;

export interface ViewsOptions {
  readonly views: readonly View[];
  readonly grants: Grants;
  readonly members: Members;
  /** From watchedFdBase(). */
  readonly watchedFdBase: number;
  /** Whether anything below /proc is granted. */
  readonly procGranted: boolean;
  /** Where targets are in directories, for who lists them. */
  readonly positions?: PositionStore | undefined;
  /** By which files show their times, those with a view that of its start. Left out: the machine's, and when this process began. */
  readonly clock?: VirtualClock | undefined;
  /** Directories that are granted to read, and not by Landlock. */
  readonly directories?: readonly string[];
  /** Those of which Landlock grants the entries that they had, and none that they get: new ones are opened here. */
  readonly knownEntries?: readonly KnownEntries[];
}

export function views(options: ViewsOptions): Family {
  const { watchedFdBase, procGranted, grants, clock, directories = [] } = options;
  // Nothing is served then, and the kernel refuses what is not granted without asking.
  const serves = procGranted || directories.length > 0 || options.views.some(({ path, needsGrant }) => needsGrant === false || grants.mayRead(path));
  if (!serves) return { name: 'views', handlers: {} };
  const paths = options.views.flatMap(({ path, links = [] }) => [path, ...links]);
  const absent = options.views.filter((view) => view.absent === true).map(({ path }) => path);
  const concerned = concern(paths, directories, procGranted, options.knownEntries, absent);
  const finder = new Finder(options.views, options.members);
  const confined = new SelfConfined(options.members);
  const links = new OwnLinks();
  const shared = { ...options, finder, concern: concerned, links, confined, began: clock && clock.startNs / SECOND_NS };
  const open: FamilyHandler = {
    handler: (context: HandlerContext) => openView(context, shared),
    concerns: concerned,
    onException: 'denyEio',
  };
  const openAt = { ...open, when: watchedFd(0, watchedFdBase) };
  return {
    name: 'views',
    handlers: {
      open, creat: open, openat: openAt, openat2: openAt,
      ...confined.handlers,
      ...links.handlers(concerned),
      ...together(procGranted ? statHandlers(shared) : {}, fstatHandlers(shared)),
      ...(procGranted ? duplicateHandlers(watchedFdBase) : {}),
    },
  };
}

/** Of several handlers for one call, each has its own descriptors. */
function together(
  some: Readonly<Record<string, FamilyHandler>>, others: Readonly<Record<string, readonly FamilyHandler[]>>,
): Readonly<Record<string, FamilyEntry>> {
  const entries = Object.entries(others).map(([name, more]) => [name, some[name] === undefined ? more : [some[name], ...more]] as const);
  return { ...some, ...Object.fromEntries(entries) };
}
