/**
 * Small files of /proc that say nothing about the machine.
 *
 * proc_swaps(5), proc_vmstat(5), cgroups(7), cpuset(7), proc_locks(5), proc_cmdline(5), proc_diskstats(5), proc_interrupts(5)
 */

/** /proc/swaps: none. */
export const SWAPS = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';

/** /proc/partitions: none. */
export const PARTITIONS = 'major minor  #blocks  name\n\n';

/** What the kernel was started with, and its disks: nothing that concerns a program. */
export const EMPTY_TABLES: ReadonlyMap<string, string> = new Map([['cmdline', '\n'], ['diskstats', ''], ['sys/kernel/domainname', '(none)\n']]);

/** /proc/interrupts: none, on any processor. fs/proc/interrupts.c, kernel/irq/proc.c, show_interrupts() */
export function interrupts(cpus: readonly number[]): string {
  return `${' '.repeat(11)}${cpus.map((cpu) => `CPU${cpu}`.padEnd(11)).join('')}\n`;
}

/** /proc/softirqs: the machine's names, and none counted. fs/proc/softirqs.c, show_softirqs() */
export function softirqs(machine: string, cpus: readonly number[]): string {
  const names = machine.split('\n').slice(1).flatMap((line) => /^ *(\w+):/.exec(line)?.[1] ?? []);
  return `${' '.repeat(20)}${cpus.map((cpu) => `CPU${cpu}`.padEnd(11)).join('')}\n`
    + names.map((name) => `${name.padStart(12)}:${' 0'.padStart(11).repeat(cpus.length)}\n`).join('');
}

/** /proc/<pid>/cgroup: the root of the one hierarchy. */
export const CGROUP = '0::/\n';

/** /proc/cgroups: the machine's controllers, all in that hierarchy, which has no other group. */
export function cgroups(machine: string): string {
  const controllers = machine.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split('\t')[0]!);
  return `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${controllers.map((name) => `${name}\t0\t1\t1\n`).join('')}`;
}

const PAGE_BYTES = 4096;

/** /proc/vmstat: the machine's counters, and nothing counted. @param freeBytes where memory has a limit */
export function vmStat(machine: string, freeBytes: number | undefined): string {
  return machine.replace(/^(\S+) \d+$/gm, (_, name: string) => {
    const known = name === 'nr_free_pages' && freeBytes !== undefined;
    return `${name} ${known ? Math.floor(freeBytes / PAGE_BYTES) : 0}`;
  });
}

/** /proc/locks: those that members hold or wait for. */
export function locks(machine: string, isMember: (pid: number) => boolean): string {
  // "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF", "1: -> POSIX ..." for who waits
  return machine.split('\n').filter((line) => isMember(Number(/^\d+:(?: ->)?\s+\S+\s+\S+\s+\S+\s+(\d+)/.exec(line)?.[1] ?? -1)))
    .map((line) => `${line}\n`).join('');
}

/** /proc/<pid>/cpuset. */
export const CPUSET = '/\n';

/** The files of /proc/pressure. */
export const PRESSURES = ['cpu', 'memory', 'io', 'irq'] as const;

/** /proc/pressure: nobody waits. Documentation/accounting/psi.rst */
export function pressure(name: (typeof PRESSURES)[number]): string {
  const lines = name === 'irq' ? ['full'] : ['some', 'full'];
  return lines.map((kind) => `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`).join('');
}
