/**
 * utimensat(2) and its like: times of the sandbox's calendar, kept as the machine's.
 *
 * A program's times are read once, moved back, and set by the supervisor on the file that was found, with the program's
 * own rights: the kernel says whether it may.
 */
import { action, asInt32, type FamilyEntry, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { AT_EMPTY_PATH, AT_FDCWD, O_PATH, utimensat } from '@sandlock/sys';

import { descriptorInfo } from '../descriptor-info.js';
import { unlessGone } from '../proc-file.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import { AT_SYMLINK_NOFOLLOW } from '../views/stat-flags.js';
import { withPinnedFile } from './pinned-file.js';
import { storeTimes } from './shown-times.js';

const onException = 'denyEio';
const TIMES_BYTES = 32;
const MICROSECOND_NS = 1000n;
const SECOND_US = 1_000_000n;
const UTIME_OMIT = (1n << 30n) - 2n; // include/linux/stat.h

/** The times of a call as two struct timespec; undefined: now. Or its answer, where there are none. */
type Given = { readonly times: Buffer | undefined } | { readonly refused: NotifAction };

/** How a call is read: the registers of its path, directory, times and flags. */
interface Shape {
  readonly path: number;
  readonly dirfd?: number;
  readonly times: number;
  readonly flags?: number;
  readonly read: (bytes: Buffer) => Buffer | undefined;
  readonly bytes: number;
}

const asTheyAre = (bytes: Buffer): Buffer => bytes;
const SHAPES: Readonly<Record<string, Shape>> = {
  utimensat: { dirfd: 0, path: 1, times: 2, flags: 3, bytes: TIMES_BYTES, read: asTheyAre },
  futimesat: { dirfd: 0, path: 1, times: 2, bytes: TIMES_BYTES, read: ofTimevals },
  utimes: { path: 0, times: 1, bytes: TIMES_BYTES, read: ofTimevals },
  utime: { path: 0, times: 1, bytes: 16, read: ofSeconds },
};

export function setFileTimes(clock: VirtualClock): Readonly<Record<string, FamilyEntry>> {
  return Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, {
    handler: (context: HandlerContext) => set(context, shape, clock), onException,
  }]));
}

function set(context: HandlerContext, shape: Shape, clock: VirtualClock): NotifAction {
  const { args } = context;
  const flags = shape.flags === undefined ? 0 : asInt32(args[shape.flags]!);
  const given = timesOf(context, shape);
  if ('refused' in given) return given.refused;
  const { times } = given;
  // The kernel asks for nothing where there is nothing to do.
  if (times?.readBigInt64LE(8) === UTIME_OMIT && times.readBigInt64LE(24) === UTIME_OMIT) return action.returnValue(0);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return action.errno('EINVAL');
  if (times !== undefined) storeTimes(clock, times);
  const dirfd = shape.dirfd === undefined ? AT_FDCWD : asInt32(args[shape.dirfd]!);
  const ofDescriptor = shape.dirfd !== undefined && args[shape.path] === 0n && dirfd !== AT_FDCWD;
  if (ofDescriptor && flags !== 0) return action.errno('EINVAL');
  if (ofDescriptor && (dirfd < 0 || namesOnly(context, dirfd))) return action.errno('EBADF');
  const path = ofDescriptor ? undefined : context.readPath(shape.path);
  if (path?.ok === false) return path.deny();
  if (path?.bytes.length === 0 && (flags & AT_EMPTY_PATH) === 0) return action.errno('ENOENT');
  const request = { dirfd, path: path?.bytes, follow: (flags & AT_SYMLINK_NOFOLLOW) === 0 };
  return withPinnedFile(context, request, ({ fd, guarded }) => {
    const result = guarded(() => utimensat(fd, '', times ?? null, AT_EMPTY_PATH));
    return result < 0 ? action.errno(-result) : action.returnValue(0);
  });
}

function timesOf(context: HandlerContext, { times: register, bytes, read }: Shape): Given {
  if (context.args[register] === 0n) return { times: undefined };
  const got = context.readMemory(context.args[register]!, bytes);
  if (!got.ok) return { refused: got.deny() };
  if (got.bytes.length < bytes) return { refused: action.errno('EFAULT') };
  const times = read(got.bytes);
  return times === undefined ? { refused: action.errno('EINVAL') } : { times };
}

/** @returns undefined for what the kernel refuses */
function ofTimevals(bytes: Buffer): Buffer | undefined {
  const times = Buffer.from(bytes);
  for (const at of [8, 24]) {
    const microseconds = bytes.readBigInt64LE(at);
    if (microseconds < 0n || microseconds >= SECOND_US) return undefined;
    times.writeBigInt64LE(microseconds * MICROSECOND_NS, at);
  }
  return times;
}

/** struct utimbuf */
function ofSeconds(bytes: Buffer): Buffer {
  const times = Buffer.alloc(TIMES_BYTES);
  bytes.copy(times, 0, 0, 8);
  bytes.copy(times, 16, 8, 16);
  return times;
}

/** A descriptor of O_PATH is none for what changes a file. open(2), O_PATH */
function namesOnly({ pid }: HandlerContext, fd: number): boolean {
  return ((unlessGone(() => descriptorInfo(pid, fd))?.flags ?? 0) & O_PATH) !== 0;
}
