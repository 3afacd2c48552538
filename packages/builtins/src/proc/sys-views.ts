/**
 * The views of /sys that say the same as those of /proc: processors in /sys/devices/system/cpu, memory in /sys/fs/cgroup.
 */
import { viewFile } from '../views/view-file.js';
import type { View } from '../views/view.js';
import { CGROUP_DIRECTORY, cgroupFiles } from './cgroup-files.js';
import { CPU_LISTS, cpuList } from './cpu-list.js';
import type { ProcOptions } from './proc.js';

export function sysViews({ numCpus, memory }: Pick<ProcOptions, 'numCpus' | 'memory'>): View[] {
  return [
    ...(numCpus === undefined ? [] : CPU_LISTS.map((name) => viewFile(`/sys/devices/system/cpu/${name}`, () => cpuList(numCpus)))),
    ...(memory === undefined ? [] : Array.from(cgroupFiles(memory), ([name, content]) => viewFile(`${CGROUP_DIRECTORY}/${name}`, content))),
  ];
}
