/**
 * fstat(2) and its like, of files with a view.
 *
 * What a target was handed is an anonymous file, which tells of another device and inode than stat(2) under the view's name, and
 * of no link. So it is answered here, for descriptors at watched numbers: the same file as under its name, with the mode and the size
 * of what was handed out. Where stat(2) is left to the kernel, which has the machine's file there, all else is the machine's too.
 * A descriptor that does not say what it is of is for the kernel to tell of: there is nothing to hide in it.
 * fstat(2), newfstatat(2), statx(2), the latter two with AT_EMPTY_PATH  ->  0, EFAULT, or continue
 */
import { arg32 } from '@sandlock/bpf';
import { action, asInt32, asUint32, TargetFailure, type FamilyHandler, type Handler, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { AT_EMPTY_PATH, close, fstat, STAT_BYTES, statx, STATX_BYTES } from '@sandlock/sys';
import { fstatSync } from 'node:fs';

import { showStat, showStatx } from '../file-times/shown-times.js';
import { pinBase } from '../open/pin-base.js';
import { nameOf } from '../open/walk.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import type { Concern } from './concern.js';
import type { Finder } from './find.js';
import { withMachinesFile } from './machines-file.js';
import type { Members } from './members.js';
import { nameOfMemfd } from './memfd-name.js';
import { isInProc, procName } from './proc-name.js';
import { shownIdentity, type ShownIdentity } from './shown-identity.js';
import { AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, STAT_FLAGS } from './stat-flags.js';
import { encodedStatBytes, encodeStat, encodeStatx, takeContent, takeStatxContent } from './stat-layout.js';
import type { ViewStat } from './view.js';
import { watchedFile } from './watched-fds.js';

export interface FstatViewOptions {
  readonly finder: Finder;
  readonly concern: Concern;
  readonly members: Members;
  readonly watchedFdBase: number;
  readonly procGranted: boolean;
  /** By which files show their times; left out: the machine's. */
  readonly clock?: VirtualClock | undefined;
  /** In seconds since 1970: the times of files with a view. */
  readonly began?: bigint | undefined;
}

/** How a call is read and answered: the registers of its path, flags and answer. */
interface Shape {
  readonly path?: number;
  readonly flags?: number;
  readonly to: number;
  readonly encode: (stat: ViewStat, identity: ShownIdentity) => Buffer;
  /** What the kernel says of an open file; undefined: nothing. */
  readonly ask: (context: HandlerContext, fd: number) => Buffer | undefined;
  readonly takeContent: (into: Buffer, from: Buffer) => void;
  readonly showTimes: (clock: VirtualClock, bytes: Buffer) => void;
}

const STAT = {
  encode: encodeStat,
  ask: (_: HandlerContext, fd: number) => {
    const bytes = Buffer.alloc(STAT_BYTES);
    return fstat(fd, bytes) < 0 ? undefined : bytes.subarray(0, encodedStatBytes());
  },
  takeContent,
  showTimes: showStat,
};
const SHAPES = {
  fstat: { ...STAT, to: 1 },
  newfstatat: { ...STAT, path: 1, to: 2, flags: 3 },
  statx: {
    path: 1,
    flags: 2,
    to: 4,
    encode: encodeStatx,
    ask: ({ args }: HandlerContext, fd: number) => {
      const bytes = Buffer.alloc(STATX_BYTES);
      const flags = AT_EMPTY_PATH | (asInt32(args[2]!) & (AT_STATX_SYNC_TYPE | AT_NO_AUTOMOUNT));
      return statx(fd, '', flags, asUint32(args[3]!), bytes) < 0 ? undefined : bytes;
    },
    takeContent: takeStatxContent,
    showTimes: showStatx,
  },
} satisfies Readonly<Record<string, Shape>>;

export function fstatHandlers(options: FstatViewOptions): Readonly<Record<keyof typeof SHAPES, readonly FamilyHandler[]>> {
  const { concern: concerns, watchedFdBase } = options;
  const entries = (shape: Shape): readonly FamilyHandler[] => {
    const handler: Handler = (context) => looked(context, shape, options);
    const byDescriptor = shape.flags === undefined ? [] : [arg32(shape.flags).maskedEq(AT_EMPTY_PATH, AT_EMPTY_PATH)];
    return watchedFile(0, watchedFdBase).map((numbers) => ({ handler, when: [...numbers, ...byDescriptor], concerns, onException: 'denyEio' }));
  };
  return { fstat: entries(SHAPES.fstat), newfstatat: entries(SHAPES.newfstatat), statx: entries(SHAPES.statx) };
}

function looked(context: HandlerContext, shape: Shape, options: FstatViewOptions): NotifAction {
  const { args } = context;
  if (shape.flags !== undefined && (asInt32(args[shape.flags]!) & ~STAT_FLAGS) !== 0) return action.continue(); // EINVAL
  if (shape.path !== undefined && args[shape.path] !== 0n) { // Linux 6.11 takes no path for an empty one
    const path = context.readPath(shape.path);
    if (!path.ok) return path.deny();
    if (path.bytes.length > 0) return action.continue();
  }
  const pinned = pinBase(context, asInt32(args[0]!));
  if (pinned instanceof TargetFailure) return action.continue();
  try {
    const name = viewedName(pinned);
    if (name === undefined || !options.finder.hasView(name)) return action.continue();
    const { owner } = procName(name);
    if (owner !== undefined && !options.members.isMember(owner.tgid)) return action.continue();
    const shown = statOf(context, name, pinned, shape, options);
    // What was read from /proc is of this target only if its call still waits.
    if (!context.isValid()) return new TargetFailure('gone').deny();
    if (shown === undefined) return action.continue();
    const written = context.writeMemory(args[shape.to]!, shown);
    return written.ok ? action.returnValue(0) : written.deny();
  } finally {
    close(pinned);
  }
}

/** undefined: it is no file with a view, or has a path so long that the kernel does not give it. */
function viewedName(pinned: number): string | undefined {
  try {
    return nameOfMemfd(nameOf(pinned));
  } catch {
    return undefined;
  }
}

/** undefined: the kernel refuses the question. */
function statOf(context: HandlerContext, name: string, pinned: number, shape: Shape, { procGranted, clock, began }: FstatViewOptions): Buffer | undefined {
  const content = shape.ask(context, pinned);
  if (content === undefined) return undefined;
  const machines = procGranted || isInProc(name) ? undefined : withMachinesFile(name, context.pid, (fd) => shape.ask(context, fd));
  if (machines === undefined) {
    const { mode, size } = fstatSync(pinned);
    return shape.encode({ mode, size, began }, shownIdentity(name, context.pid));
  }
  shape.takeContent(machines, content);
  if (clock !== undefined) shape.showTimes(clock, machines);
  return machines;
}
