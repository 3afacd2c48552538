/**
 * The auxiliary vector of a process: what the kernel told it at exec. getauxval(3); proc_pid_auxv(5)
 */
import { readFileOnce } from '@sandlock/sys';

/** include/uapi/linux/auxvec.h */
export const AT_SYSINFO_EHDR = 33n;

const buffer = Buffer.alloc(4096);

/** @returns undefined where the vector has no such entry @throws what keeps us from reading it */
export function auxiliaryValue(tid: number, type: bigint): bigint | undefined {
  const length = readFileOnce(`/proc/${tid}/auxv`, buffer);
  for (let at = 0; at + 16 <= length; at += 16) {
    if (buffer.readBigUInt64LE(at) === type) return buffer.readBigUInt64LE(at + 8);
  }
  return undefined;
}
