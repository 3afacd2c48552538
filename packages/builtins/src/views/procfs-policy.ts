/**
 * What of a procfs is served to a target, by the name of the object that was found.
 *
 * Reading what the policy grants, of members and of the machine, except for what tells of the kernel's memory, its keys
 * or its log, of the machine's hardware and network, or has an effect by being opened. Writing to the target's own harmless settings
 * alone. Whatever is not served, the kernel refuses, since nothing below /proc is granted by Landlock. Who has confined
 * itself writes nothing, and reads of processes what its own domain would let it.
 * proc(5); virtual names are checked by their owner's membership before
 */
import type { ErrnoName } from '@sandlock/sys';

import type { Grants } from './grants.js';
import type { Members } from './members.js';
import { procName } from './proc-name.js';
import type { SelfConfined } from './self-confined.js';
import type { Asker } from './view.js';

/** For nobody, with everything beneath. */
const BLOCKED: ReadonlySet<string> = new Set([
  'kcore', 'kmsg', 'kallsyms', 'keys', 'key-users', 'sysrq-trigger',
  'kpagecount', 'kpageflags', 'kpagecgroup', 'vmallocinfo', 'slabinfo', 'timer_list', 'timer_stats', 'latency_stats', 'sched_debug',
  // The machine's hardware and file systems, and how its memory is laid out.
  'acpi', 'asound', 'scsi', 'bus', 'driver', 'fs', 'ide', 'iomem', 'ioports', 'irq', 'mdstat', 'mtrr',
  'buddyinfo', 'pagetypeinfo', 'schedstat', 'zoneinfo',
]);

/** Below /proc/sys/net, per interface: the machine's, other than loopback, and the lists of them. */
const OF_INTERFACES = /^\/proc\/sys\/net\/[^/]+\/(?:conf|neigh)(?:\/(?!(?:all|default|lo)(?:\/|$))|$)/;

/** Of the target's own process: names, and settings that make it worse off or nothing at all. */
const OWN_WRITABLE: ReadonlySet<string> = new Set([
  '/comm', '/oom_score_adj', '/oom_adj', '/coredump_filter', '/timerslack_ns', '/autogroup',
]);

export interface ProcfsAccess {
  readonly name: string;
  readonly writes: boolean;
  readonly asker: Asker;
  readonly confined: SelfConfined;
}

/** @returns undefined: it may be opened, as far as the kernel lets the target */
export function refusesProcfs({ name, writes, asker, confined }: ProcfsAccess, grants: Grants, members: Members): ErrnoName | undefined {
  const { owner, view, rest } = procName(name);
  const own = owner?.tgid === asker.tgid; // who asks is a member
  if (owner !== undefined && !own && !members.isMember(owner.tgid)) return 'ENOENT'; // as with hidepid=2. proc(5), Mount options
  if (BLOCKED.has(name.split('/', 3)[2] ?? '') || OF_INTERFACES.test(name)) return 'EACCES';
  // What has a view there was not asked about: the rest is the machine's network.
  if (owner !== undefined && rest.startsWith('/net/')) return 'EACCES';
  if (owner !== undefined && !confined.reaches(asker, owner)) return 'EACCES';
  if (writes && confined.has(asker.pid)) return 'EACCES';
  const granted = (may: (path: string) => boolean): boolean => may(name) || (own && may(view));
  if (writes) return own && OWN_WRITABLE.has(rest) && granted(grants.mayWrite) ? undefined : 'EACCES';
  return granted(grants.mayRead) ? undefined : 'EACCES';
}
