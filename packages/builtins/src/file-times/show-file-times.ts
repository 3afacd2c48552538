/**
 * stat(2) and its like, with times of the sandbox's calendar.
 *
 * The answer is the kernel's own about the file that was found, with its times moved. Where that cannot be given the call
 * fails: it must not show the machine's.
 */
import { action, asInt32, asUint32, type FamilyEntry, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { AT_EMPTY_PATH, AT_FDCWD, fstat, STAT_BYTES, statx, STATX_BYTES } from '@sandlock/sys';

import type { VirtualClock } from '../time/virtual-clock.js';
import { AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW, STAT_FLAGS } from '../views/stat-flags.js';
import { encodedStatBytes } from '../views/stat-layout.js';
import { withPinnedFile, type PinnedFile } from './pinned-file.js';
import { showStat, showStatx } from './shown-times.js';

const onException = 'denyEio';

/** How a call is read: the registers of its path, directory or descriptor, flags and answer. */
interface Shape {
  readonly path?: number;
  readonly dirfd?: number;
  readonly flags?: number;
  readonly follow?: false;
  readonly to: number;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  stat: { path: 0, to: 1 },
  lstat: { path: 0, follow: false, to: 1 },
  fstat: { dirfd: 0, to: 1 },
  newfstatat: { dirfd: 0, path: 1, to: 2, flags: 3 },
};

export function showFileTimes(clock: VirtualClock): Readonly<Record<string, FamilyEntry>> {
  const stats = Object.entries(SHAPES).map(([name, shape]): [string, FamilyEntry] => [name, {
    handler: (context) => looked(context, shape, (file) => {
      const stat = Buffer.alloc(STAT_BYTES);
      const result = file.guarded(() => fstat(file.fd, stat));
      if (result < 0) return action.errno(-result);
      showStat(clock, stat);
      return written(context, shape.to, stat.subarray(0, encodedStatBytes()));
    }),
    onException,
  }]);
  const onStatx = (context: HandlerContext): NotifAction => looked(context, { dirfd: 0, path: 1, flags: 2, to: 4 }, (file) => {
    const bytes = Buffer.alloc(STATX_BYTES);
    const flags = AT_EMPTY_PATH | (asInt32(context.args[2]!) & (AT_STATX_SYNC_TYPE | AT_NO_AUTOMOUNT));
    const result = file.guarded(() => statx(file.fd, '', flags, asUint32(context.args[3]!), bytes));
    if (result < 0) return action.errno(-result);
    showStatx(clock, bytes);
    return written(context, 4, bytes);
  });
  return { ...Object.fromEntries(stats), statx: { handler: onStatx, onException } };
}

function looked(context: HandlerContext, shape: Shape, use: (file: PinnedFile) => NotifAction): NotifAction {
  const { args } = context;
  const flags = shape.flags === undefined ? 0 : asInt32(args[shape.flags]!);
  if ((flags & ~STAT_FLAGS) !== 0) return action.errno('EINVAL');
  const dirfd = shape.dirfd === undefined ? AT_FDCWD : asInt32(args[shape.dirfd]!);
  if (shape.path === undefined) {
    return dirfd < 0 ? action.errno('EBADF') : withPinnedFile(context, { dirfd, path: undefined, follow: false }, use);
  }
  const empty = (flags & AT_EMPTY_PATH) !== 0;
  // Linux 6.11 takes no path for an empty one.
  const path = empty && args[shape.path] === 0n ? undefined : context.readPath(shape.path);
  if (path?.ok === false) return path.deny();
  if (path?.bytes.length === 0 && !empty) return action.errno('ENOENT');
  const follow = shape.follow !== false && (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return withPinnedFile(context, { dirfd, path: path?.bytes, follow }, use);
}

function written(context: HandlerContext, register: number, bytes: Buffer): NotifAction {
  const result = context.writeMemory(context.args[register]!, bytes);
  return result.ok ? action.returnValue(0) : result.deny();
}
