/** What a control group uses, and what it came to. Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files" */
import { readFileSync } from 'node:fs';

/** In use now: files that are only cached are given back when memory is short, and do not count. */
export function usedBytes(directory: string): number {
  const stat = numbers(directory, 'memory.stat');
  return Math.max(0, number(directory, 'memory.current') - (stat.get('inactive_file') ?? 0) - (stat.get('active_file') ?? 0));
}

export interface CgroupUse {
  /** Processes that the kernel ended because of the limit. */
  readonly oomKills: number;
  /** The most that was in use at once, cached files included; 0 before Linux 5.19. */
  readonly peakBytes: number;
}

/** Zeros where the group is gone, or has no such limit. */
export function finalUse(directory: string): CgroupUse {
  return {
    oomKills: orZero(() => numbers(directory, 'memory.events').get('oom_kill') ?? 0),
    peakBytes: orZero(() => number(directory, 'memory.peak')),
  };
}

/** Lines of a name and a number. */
function numbers(directory: string, name: string): ReadonlyMap<string, number> {
  return new Map(read(directory, name).trim().split('\n').map((line) => {
    const [key, value] = line.split(' ');
    return [key!, Number(value)];
  }));
}

function number(directory: string, name: string): number {
  return Number(read(directory, name));
}

function read(directory: string, name: string): string {
  return readFileSync(Buffer.from(`${directory}/${name}`, 'latin1'), 'latin1');
}

function orZero(look: () => number): number {
  try {
    return look();
  } catch {
    return 0;
  }
}
