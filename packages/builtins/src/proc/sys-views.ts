/**
 * The views of /sys that say the same as those of /proc: processors in /sys/devices/system/cpu and in the nodes, memory in these
 * and in /sys/fs/cgroup.
 */
import type { CpuMask } from '../cpu/cpu-mask.js';
import { cpuList } from '../cpu/cpu-text.js';
import { absent } from '../views/absent.js';
import { viewFile } from '../views/view-file.js';
import type { View } from '../views/view.js';
import { cgroupFiles } from './cgroup-files.js';
import { otherCpus } from './cpu-directories.js';
import { kernelHas } from './kernel-has.js';
import type { MemoryUse } from './memory-use.js';
import { cpusOfNodes, linkTo, nodeCpus, nodeMemory, nodes } from './nodes.js';

const CPUS = '/sys/devices/system/cpu';
/** Lists of processors. Documentation/admin-guide/cputopology.rst */
const THERE = ['online', 'possible', 'present'];
/** Not every kernel has these. */
const ENABLED = `${CPUS}/enabled`, OFFLINE = `${CPUS}/offline`;

export function sysViews(visible: CpuMask | undefined, memory: MemoryUse | undefined): View[] {
  if (visible === undefined && memory === undefined) return [];
  const all = nodes();
  return [
    ...(visible === undefined ? [] : cpuViews(visible, all)),
    ...(memory === undefined ? [] : memoryViews(memory, all)),
  ];
}

function cpuViews(visible: CpuMask, all: readonly string[]): View[] {
  const list = `${cpuList(visible)}\n`;
  return [
    ...[...THERE.map((name) => `${CPUS}/${name}`), ...[ENABLED].filter(kernelHas)].map((path) => viewFile(path, () => list)),
    ...[OFFLINE].filter(kernelHas).map((path) => viewFile(path, () => '\n')),
    ...ofNodes(nodeCpus(visible, all)),
    ...otherCpus(visible, cpusOfNodes(all)).map(absent),
  ];
}

function memoryViews(memory: MemoryUse, all: readonly string[]): View[] {
  return [...ofNodes(nodeMemory(memory, all)), ...files(cgroupFiles(memory))];
}

function ofNodes(contents: ReadonlyMap<string, () => string>): View[] {
  return Array.from(contents, ([path, content]) => viewFile(path, content, { links: [linkTo(path)] }));
}

function files(contents: ReadonlyMap<string, () => string>): View[] {
  return Array.from(contents, ([path, content]) => viewFile(path, content));
}
