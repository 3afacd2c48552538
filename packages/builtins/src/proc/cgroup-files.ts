/**
 * What a program finds in its control group, which is the root of the hierarchy, where memory has a limit.
 *
 * Runtimes size their heaps by these and not by /proc/meminfo: libuv's uv_get_constrained_memory(), for one, which asks
 * /proc/self/cgroup first and then looks for memory.max and memory.high. Older ones, and libraries that do not ask, look for the
 * file of version 1 by its usual name, so where the machine has that it says the same. Groups beneath are the machine's.
 * Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files"; Documentation/admin-guide/cgroup-v1/memory.rst
 */
import { kernelHas } from './kernel-has.js';
import type { MemoryUse } from './memory-use.js';

const VERSION_2 = '/sys/fs/cgroup';
const VERSION_1 = '/sys/fs/cgroup/memory';

/** Content by path. */
export function cgroupFiles(memory: MemoryUse): ReadonlyMap<string, () => string> {
  const limit = (): string => `${memory.limitBytes}\n`;
  const used = (): string => `${Math.floor(memory.usedBytes())}\n`;
  const version1: [string, () => string][] = [
    ['memory.limit_in_bytes', limit],
    ['memory.usage_in_bytes', used],
    ['memory.memsw.limit_in_bytes', limit], // memory and swap, of which there is none
    ['memory.memsw.usage_in_bytes', used],
  ];
  const version2: [string, () => string][] = [
    ['memory.max', limit],
    ['memory.high', () => 'max\n'],
    ['memory.current', used],
    ['memory.swap.max', () => '0\n'],
    ['memory.swap.current', () => '0\n'],
  ];
  return new Map([
    ...version2.map(([name, content]) => [`${VERSION_2}/${name}`, content] as const),
    ...version1.map(([name, content]) => [`${VERSION_1}/${name}`, content] as const).filter(([path]) => kernelHas(path)),
  ]);
}
