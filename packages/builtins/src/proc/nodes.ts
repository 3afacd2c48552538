/**
 * Nodes: which processors and how much memory lie close to each other.
 *
 * Files of a node say of a part what files of /proc say of the whole, so the parts are made to come to the same: every processor
 * that is seen belongs to one node, and all of a limited memory to the first.
 * Documentation/ABI/stable/sysfs-devices-node; drivers/base/node.c
 */
import { readdirSync, readFileSync } from 'node:fs';

import type { CpuMask } from '../cpu/cpu-mask.js';
import { cpuList, cpuMap, maskFromList } from '../cpu/cpu-text.js';
import { freeBytes, type MemoryUse } from './memory-use.js';
import { vmStat } from './small-tables.js';

const NODES = '/sys/devices/system/node';
/** Links to these directories. hwloc, for one, goes by them. */
const LINKS = '/sys/bus/node/devices';

/** Directories of those that the machine has, by their numbers. */
export function nodes(): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(NODES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // a kernel without NUMA
    throw error;
  }
  const numbers = names.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b).map((number) => `${NODES}/node${number}`);
}

/** The other path of a file of a node. */
export function linkTo(path: string): string {
  return LINKS + path.slice(NODES.length);
}

/** Processors of each, by directory. */
export function cpusOfNodes(all: readonly string[]): ReadonlyMap<string, CpuMask> {
  return new Map(all.map((node) => [node, maskFromList(machines(node, 'cpulist'))]));
}

/** Content by path. */
export function nodeCpus(visible: CpuMask, all: readonly string[]): ReadonlyMap<string, () => string> {
  return new Map(all.flatMap((node, index): [string, () => string][] => {
    const seen = (): CpuMask => cpusSeen(visible, [...cpusOfNodes(all).values()], index);
    return [
      [`${node}/cpulist`, () => `${cpuList(seen())}\n`],
      [`${node}/cpumap`, () => `${cpuMap(seen(), machines(node, 'cpumap').trim())}\n`],
    ];
  }));
}

/** @param sets of processors, one for each node. The first has those as well that there only seem to be */
export function cpusSeen(visible: CpuMask, sets: readonly CpuMask[], index: number): CpuMask {
  const own = visible & sets[index]!;
  return index === 0 ? own | (visible & ~sets.reduce((union, each) => union | each, 0n)) : own;
}

/** Content by path. */
export function nodeMemory(memory: MemoryUse, all: readonly string[]): ReadonlyMap<string, () => string> {
  return new Map(all.flatMap((node, index): [string, () => string][] => {
    const share = index === 0 ? memory : { limitBytes: 0, usedBytes: () => 0 };
    return [
      [`${node}/meminfo`, () => nodeMemInfo(machines(node, 'meminfo'), share)],
      [`${node}/vmstat`, () => vmStat(machines(node, 'vmstat'), freeBytes(share))],
    ];
  }));
}

const USED = new Set(['MemUsed', 'Active', 'Active(anon)', 'AnonPages']);

/** The machine's fields, and of their values only what is known of the sandbox. */
export function nodeMemInfo(machine: string, memory: MemoryUse): string {
  const free = freeBytes(memory);
  return machine.replace(/^(Node \d+ ([^:]+):)( *\d+)/gm, (_, label: string, name: string, value: string) => {
    const bytes = name === 'MemTotal' ? memory.limitBytes : name === 'MemFree' ? free : USED.has(name) ? memory.limitBytes - free : 0;
    return label + String(Math.floor(bytes / 1024)).padStart(value.length);
  });
}

function machines(node: string, name: string): string {
  return readFileSync(`${node}/${name}`, 'latin1');
}
