/**
 * What a program finds in its control group, which is the root of the hierarchy, where memory has a limit.
 *
 * Runtimes size their heaps by these and not by /proc/meminfo: libuv's uv_get_constrained_memory(), for one, which asks
 * /proc/self/cgroup first and then looks for memory.max and memory.high.
 * Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files"
 */
import type { MemoryUse } from './memory-use.js';

export const CGROUP_DIRECTORY = '/sys/fs/cgroup';

/** Content by name. */
export function cgroupFiles(memory: MemoryUse): ReadonlyMap<string, () => string> {
  return new Map([
    ['memory.max', () => `${memory.limitBytes}\n`],
    ['memory.high', () => 'max\n'],
    ['memory.current', () => `${Math.floor(memory.usedBytes())}\n`],
    ['memory.swap.max', () => '0\n'],
    ['memory.swap.current', () => '0\n'],
  ]);
}
