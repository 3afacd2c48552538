/**
 * /sys/devices/system/cpu: which processors there are, as lists.
 *
 * Documentation/ABI/testing/sysfs-devices-system-cpu; cpuset(7), "List format"
 */

/** The files that list processors which are there. */
export const CPU_LISTS: readonly string[] = ['online', 'possible', 'present'];

export function cpuList(numCpus: number): string {
  return numCpus === 1 ? '0\n' : `0-${numCpus - 1}\n`;
}

/** Whether an entry of the directory is a processor beyond those. */
export function isOtherCpu(name: Buffer, numCpus: number): boolean {
  const digits = /^cpu(\d+)$/.exec(name.toString('latin1'))?.[1];
  return digits !== undefined && Number(digits) >= numCpus;
}
