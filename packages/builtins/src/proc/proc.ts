/**
 * The proc family: a /proc that is about the sandbox.
 *
 * Its views are for the views family, which opens them. The calls here are those that say the same without a file.
 * Listings are answered for descriptors from `watchedFdBase` on, where the views family puts directories whose entries
 * matter. That is a view and no secret: a program that moves such a descriptor to a lower number sees which numbers
 * are taken, as kill(2) would tell it too, and can still open nothing.
 * getdents64(2), getdents(2)  ->  bytes, EBADF, ENOTDIR, EINVAL, EFAULT, ENOENT
 * lseek(2) of such a descriptor, where positions are kept by the supervisor  ->  continue
 * sysinfo(2)  ->  0, or EFAULT
 */
import { arg32 } from '@sandlock/bpf';
import { action, type Family, type Handler } from '@sandlock/dispatch';
import { sysinfo as machineInfo } from '@sandlock/sys';

import { visibleCpus, type CpuChoice } from '../cpu/visible-cpus.js';
import { listingHandlers } from '../directory/listing-handlers.js';
import type { PositionStore } from '../directory/position-store.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import type { Members } from '../views/members.js';
import type { View } from '../views/view.js';
import { freeBytes, type MemoryUse } from './memory-use.js';
import type { MountTable } from './mount-tables.js';
import { procListing } from './proc-listing.js';
import { procViews } from './proc-views.js';
import { SandboxState } from './sandbox-state.js';
import { sysViews } from './sys-views.js';
import { sysinfoRecord } from './sysinfo.js';
import { TICKS_PER_SECOND, VirtualBoot } from './virtual-boot.js';

/** Processors that are seen are those of {@link AffinityOptions}. */
export interface ProcOptions extends CpuChoice {
  readonly members: Members;
  /** The parent of the first member; asked for at each look. */
  readonly guardPid: () => number;
  /** false: a program may read nothing of /proc, so nothing there needs a view. Default true. */
  readonly procGranted?: boolean | undefined;
  /** From this number on, descriptors of directories are listed by the supervisor; undefined: none is. */
  readonly watchedFdBase?: number | undefined;
  /** Where targets are in directories, for who looks at them as well. */
  readonly positions?: PositionStore | undefined;
  /** Left out: the machine's. */
  readonly memory?: MemoryUse | undefined;
  /** The sandbox's clock: uptime and what else counts from the start of the machine count from its. Left out: they are the machine's. */
  readonly time?: VirtualClock | undefined;
  /** Left out: the sandbox has no root of its own. */
  readonly mountTable?: MountTable;
}

export interface ProcFamily extends Family {
  readonly views: readonly View[];
}

/** Nothing of the machine where something failed. */
const onException = 'denyEio';

export function proc(options: ProcOptions): ProcFamily {
  const { members, guardPid, procGranted = true, watchedFdBase, memory, time } = options;
  const boot = time && new VirtualBoot(time);
  const state = new SandboxState(members, guardPid);

  const sysinfo: Handler = (context) => {
    const machine = machineInfo();
    const written = context.writeMemory(context.args[0]!, sysinfoRecord({
      uptimeSeconds: boot === undefined ? machine.uptimeSeconds : boot.uptimeTicks() / TICKS_PER_SECOND,
      loads: state.averages,
      totalBytes: memory?.limitBytes ?? machine.totalBytes,
      freeBytes: memory === undefined ? machine.freeBytes : freeBytes(memory),
      processes: state.processes(),
    }));
    return written.ok ? action.returnValue(0) : written.deny();
  };

  return {
    name: 'proc',
    views: [...(procGranted ? procViews(options, state, boot) : []), ...sysViews(visibleCpus(options), memory)],
    handlers: {
      sysinfo: { handler: sysinfo, onException },
      ...watchedFdBase !== undefined && listingHandlers(procListing(options), { when: arg32(0).ge(watchedFdBase), positions: options.positions }),
    },
    dispose: () => state.end(),
  };
}
