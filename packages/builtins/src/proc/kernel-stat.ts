/**
 * /proc/stat: the processor time of the sandbox's own processes, and no count of what else the machine does.
 *
 * What the members have not used was idle, so a program that shows how busy the processors are shows how busy the
 * sandbox is. Members' time is divided evenly among the processors, since nobody knows where it was spent.
 * proc_stat(5); fs/proc/stat.c, show_stat()
 */
export interface CpuUse {
  /** Clock ticks in user mode and in the kernel. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

export interface KernelStatInput extends CpuUse {
  /** Numbers of the processors. */
  readonly cpus: readonly number[];
  /** Clock ticks that the sandbox has been there. */
  readonly elapsedTicks: number;
  /** Seconds since the epoch. */
  readonly bootTime: number;
  readonly processes: number;
  readonly running: number;
}

const SOFTIRQS = 11; // include/linux/interrupt.h, NR_SOFTIRQS and their sum

export function kernelStat({ cpus, elapsedTicks, bootTime, processes, running, userTicks, systemTicks }: KernelStatInput): string {
  const share = (ticks: number): number => Math.floor(ticks / cpus.length);
  const user = share(userTicks);
  const system = share(systemTicks);
  const idle = Math.max(0, Math.floor(elapsedTicks) - user - system);
  const times = (factor: number): string => [user, 0, system, idle, 0, 0, 0, 0, 0, 0].map((ticks) => ticks * factor).join(' ');
  const each = cpus.map((cpu) => `cpu${cpu} ${times(1)}\n`);
  return `cpu  ${times(cpus.length)}\n${each.join('')}intr 0\nctxt 0\nbtime ${bootTime}\nprocesses ${processes}\n`
    + `procs_running ${Math.max(1, running)}\nprocs_blocked 0\nsoftirq ${Array.from({ length: SOFTIRQS }, () => 0).join(' ')}\n`;
}

/** When the machine started, in seconds since the epoch: what its own file says. */
export function bootTimeOf(machine: string): number {
  return Number(/^btime (\d+)$/m.exec(machine)?.[1] ?? 0);
}

/** Numbers of the processors in the machine's own file. */
export function cpusOf(machine: string): readonly number[] {
  const numbers = Array.from(machine.matchAll(/^cpu(\d+)/gm), ([, number]) => Number(number));
  return numbers.length === 0 ? [0] : numbers;
}
