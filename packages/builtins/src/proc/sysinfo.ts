/**
 * struct sysinfo, of the same sandbox that /proc/meminfo, /proc/uptime and /proc/loadavg describe.
 *
 * sysinfo(2); include/uapi/linux/sysinfo.h
 */
export interface SystemInfo {
  readonly uptimeSeconds: number;
  readonly loads: readonly number[];
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly processes: number;
}

/** sizeof(struct sysinfo) with a long of 64 bits. */
export const SYSINFO_BYTES = 112;
/** SI_LOAD_SHIFT: fixed-point numbers with 16 bits behind the point. */
const LOAD_UNIT = 65536;

export function sysinfoRecord({ uptimeSeconds, loads, totalBytes, freeBytes, processes }: SystemInfo): Buffer {
  const record = Buffer.alloc(SYSINFO_BYTES);
  const put = (value: number, at: number): void => { record.writeBigUInt64LE(BigInt(Math.max(0, Math.floor(value))), at); };
  put(uptimeSeconds, 0);
  loads.forEach((load, i) => put(load * LOAD_UNIT, 8 + 8 * i));
  put(totalBytes, 32);
  put(freeBytes, 40);
  record.writeUInt16LE(Math.min(processes, 0xffff), 80);
  record.writeUInt32LE(1, 104); // mem_unit: bytes. Shared, buffered, swap and high memory: none
  return record;
}
