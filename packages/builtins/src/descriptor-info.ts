/**
 * What /proc says of an open file by a descriptor's number. All of it is of one open file, whatever the number stands for a
 * moment later. proc_pid_fdinfo(5)
 */
import { readWhole } from './proc-file.js';

export interface DescriptorInfo {
  /** `O_*` */
  readonly flags: number;
  readonly position: bigint;
  /** undefined: the kernel does not say. */
  readonly mount: string | undefined;
  /** undefined: the kernel does not say, before Linux 5.14. */
  readonly inode: string | undefined;
}

const buffer = Buffer.alloc(4096);

/** @throws {SyscallError} ENOENT: there is no such descriptor (any more) */
export function descriptorInfo(pid: number | 'self', fd: number): DescriptorInfo {
  const info = readWhole(`/proc/${pid}/fdinfo/${fd}`, buffer);
  const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(info)?.[1];
  return { flags: Number.parseInt(field('flags') ?? '', 8), position: BigInt(field('pos') ?? 0), mount: field('mnt_id'), inode: field('ino') };
}
