/**
 * Directories of /sys that have an entry for each processor: those that are not seen are left out.
 *
 * Documentation/ABI/testing/sysfs-devices-system-cpu; drivers/base/cpu.c, register_cpu(); drivers/base/node.c, register_cpu_under_node()
 */
import { readdirSync } from 'node:fs';

import { has, numbersOf, type CpuMask } from '../cpu/cpu-mask.js';

const CPUS = '/sys/devices/system/cpu';
const CPU_DIRECTORY = /^\/sys\/(?:devices\/system\/(?:cpu|node\/node\d+)|bus\/cpu\/devices)$/;

export function hasCpus(directory: string): boolean {
  return CPU_DIRECTORY.test(directory);
}

/** Whether an entry of such a directory is a processor that is not seen. */
export function isOtherCpu(name: string, visible: CpuMask): boolean {
  const digits = /^cpu(\d+)$/.exec(name)?.[1];
  return digits !== undefined && !has(visible, Number(digits));
}

/** Paths of those that the machine has, and of the links to them. @param nodes processors of nodes, by directory */
export function otherCpus(visible: CpuMask, nodes: ReadonlyMap<string, CpuMask>): readonly string[] {
  const others = namesIn(CPUS).filter((name) => isOtherCpu(name, visible));
  const links = Array.from(nodes, ([node, cpus]) => numbersOf(cpus & ~visible).map((cpu) => `${node}/cpu${cpu}`));
  return [...[CPUS, '/sys/bus/cpu/devices'].map((directory) => others.map((name) => `${directory}/${name}`)), ...links].flat();
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
