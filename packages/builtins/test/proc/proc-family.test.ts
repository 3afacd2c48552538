import { afterEach, expect, it } from 'vitest';

import { proc, type ProcFamily } from '../../src/index.js';

const members = { isMember: () => true, pids: () => [process.pid], count: () => 1 };
const made: ProcFamily[] = [];
afterEach(() => { for (const family of made.splice(0)) void family.dispose?.(); });

function paths(procGranted?: boolean): string[] {
  const family = proc({ members, guardPid: () => 0, procGranted, numCpus: 1, memory: { limitBytes: 2 ** 20, usedBytes: () => 0 } });
  made.push(family);
  return family.views.map(({ path }) => path);
}

it('has views of /proc where something of it is granted, and of /sys in either case', () => {
  const [all, without] = [paths(), paths(false)];
  expect(all).toEqual(expect.arrayContaining(['/proc/stat', '/proc/cpuinfo', '/proc/meminfo', '/sys/devices/system/cpu/online', '/sys/fs/cgroup/memory.max']));
  expect(without).toEqual(all.filter((path) => !path.startsWith('/proc/')));
  expect(without.length).toBeGreaterThan(3);
  expect(paths(true)).toEqual(all);
});
