/**
 * The views of /proc.
 *
 * Always: what counts the processes, sockets, mounts and load of the machine counts those of the sandbox. With an option: what
 * that option says of processors, memory and time. Everything is worked out when it is opened.
 */
import { readFileSync } from 'node:fs';

import { numbersOf } from '../cpu/cpu-mask.js';
import { VisibleCpus } from '../cpu/visible-cpus.js';
import { viewFile, type ViewContent } from '../views/view-file.js';
import type { View } from '../views/view.js';
import { cpuInfo } from './cpuinfo.js';
import { bootTimeOf, cpusOf, kernelStat } from './kernel-stat.js';
import { kernelHas } from './kernel-has.js';
import { loadAverageLine } from './load-average.js';
import { memInfo } from './meminfo.js';
import { freeBytes } from './memory-use.js';
import { mountInfo, mounts, mountStats } from './mount-tables.js';
import { networkViews } from './network-views.js';
import type { ProcOptions } from './proc.js';
import {
  CGROUP, cgroups, CPUSET, EMPTY_TABLES, interrupts, locks, PARTITIONS, pressure, PRESSURES, softirqs, SWAPS, vmStat,
} from './small-tables.js';
import type { SandboxState } from './sandbox-state.js';
import { shownStatus } from './task-cpus.js';
import { taskFile } from './task-file.js';
import { shownStat } from './task-stat.js';
import { uptimeLine } from './uptime.js';
import { TICKS_PER_SECOND, type VirtualBoot } from './virtual-boot.js';

/** @param boot where the sandbox has a clock of its own */
export function procViews(options: ProcOptions, state: SandboxState, boot: VirtualBoot | undefined): View[] {
  const { members, cpuCores, numCpus, memory, mountTable } = options;
  const masks = numCpus === undefined ? undefined : new VisibleCpus({ cpuCores, numCpus });
  const seen = masks && numbersOf(masks.visible);
  const views = networkViews(members);
  const add = (path: string, content: ViewContent): void => { views.push(viewFile(path, content)); };

  add('/proc/loadavg', () => loadAverageLine(state.averages, state.census.take()));
  add('/proc/stat', () => {
    const machine = machines('/proc/stat');
    const census = state.census.take();
    return kernelStat({
      ...census,
      cpus: seen ?? cpusOf(machine),
      elapsedTicks: state.elapsedMs() * TICKS_PER_SECOND / 1000,
      bootTime: boot?.bootTime(bootTimeOf(machine)) ?? bootTimeOf(machine),
      processes: census.total,
    });
  });
  add('/proc/vmstat', () => vmStat(machines('/proc/vmstat'), memory && freeBytes(memory)));
  add('/proc/swaps', () => SWAPS);
  add('/proc/partitions', () => PARTITIONS);
  for (const [name, content] of EMPTY_TABLES) add(`/proc/${name}`, () => content);
  const cpus = (): readonly number[] => seen ?? cpusOf(machines('/proc/stat'));
  add('/proc/interrupts', () => interrupts(cpus()));
  add('/proc/softirqs', () => softirqs(machines('/proc/softirqs'), cpus()));
  if (kernelHas('/proc/cgroups')) add('/proc/cgroups', () => cgroups(machines('/proc/cgroups')));
  if (kernelHas('/proc/locks')) add('/proc/locks', () => locks(machines('/proc/locks'), (pid) => members.isMember(pid)));
  for (const name of PRESSURES) if (kernelHas(`/proc/pressure/${name}`)) add(`/proc/pressure/${name}`, () => pressure(name));

  if (kernelHas('/proc/self/cgroup')) add('/proc/self/cgroup', () => CGROUP);
  if (kernelHas('/proc/self/cpuset')) add('/proc/self/cpuset', () => CPUSET);
  add('/proc/self/mounts', () => mounts(mountTable));
  add('/proc/self/mountinfo', () => mountInfo(mountTable));
  add('/proc/self/mountstats', () => mountStats(mountTable));

  let bootId: string | undefined;
  add('/proc/sys/kernel/random/boot_id', () => (bootId ??= machines('/proc/sys/kernel/random/uuid')));

  if (seen !== undefined) add('/proc/cpuinfo', () => cpuInfo(seen, machines('/proc/cpuinfo')));
  if (masks !== undefined) add('/proc/self/status', taskFile(members, masks, shownStatus));
  if (masks !== undefined || boot !== undefined) add('/proc/self/stat', taskFile(members, masks, (line, task) => shownStat(line, boot, task)));
  if (memory !== undefined) add('/proc/meminfo', () => memInfo(memory));
  if (boot !== undefined) add('/proc/uptime', () => uptimeLine(boot.uptimeTicks()));
  return views;
}

function machines(path: string): string {
  return readFileSync(path, 'latin1');
}
