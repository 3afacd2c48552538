/**
 * /proc/meminfo of a machine that has the sandbox's limit for memory.
 *
 * What members use is anonymous memory here; there is no cache, no swap and nothing of the kernel's. Fields that
 * programs have been seen to look for are all there.
 * proc_meminfo(5); fs/proc/meminfo.c, meminfo_proc_show()
 */
import { freeBytes, type MemoryUse } from './memory-use.js';

const LABEL_WIDTH = 16;
const NUMBER_WIDTH = 8;

export function memInfo(memory: MemoryUse): string {
  const total = kilobytes(memory.limitBytes);
  const free = kilobytes(freeBytes(memory));
  const used = total - free;
  const zeros = (...names: string[]): [string, number][] => names.map((name) => [name, 0]);
  const lines: [string, number][] = [
    ['MemTotal', total], ['MemFree', free], ['MemAvailable', free], ...zeros('Buffers', 'Cached', 'SwapCached'),
    ['Active', used], ['Inactive', 0], ['Active(anon)', used], ...zeros('Inactive(anon)', 'Active(file)', 'Inactive(file)', 'Unevictable', 'Mlocked'),
    ...zeros('SwapTotal', 'SwapFree', 'Dirty', 'Writeback'), ['AnonPages', used],
    ...zeros('Mapped', 'Shmem', 'KReclaimable', 'Slab', 'SReclaimable', 'SUnreclaim', 'KernelStack', 'PageTables', 'NFS_Unstable', 'Bounce',
      'WritebackTmp'),
    ['CommitLimit', total], ['Committed_AS', used], ...zeros('VmallocTotal', 'VmallocUsed', 'VmallocChunk'),
  ];
  const pages = ['HugePages_Total', 'HugePages_Free', 'HugePages_Rsvd', 'HugePages_Surp'].map((name) => field(name, 0));
  return [...lines.map(([name, value]) => `${field(name, value)} kB`), ...pages, `${field('Hugepagesize', 2048)} kB`, ''].join('\n');
}

function field(name: string, value: number): string {
  return `${`${name}:`.padEnd(LABEL_WIDTH)}${String(value).padStart(NUMBER_WIDTH)}`;
}

function kilobytes(bytes: number): number {
  return Math.floor(bytes / 1024);
}
