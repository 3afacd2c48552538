/**
 * The memory of another process, at addresses of its own. Both return bytes or -errno and throw nothing: EFAULT an
 * address that is not mapped (or not writable), EPERM no ptrace access, ESRCH no such process. A transfer that
 * runs into an unmapped page is short. process_vm_readv(2).
 */
import { binding } from './binding.js';

/** Reads `length` bytes at `address` into `buffer` from `offset`. @returns bytes read, or -errno */
export function processVmReadv(
  pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number,
): number {
  return binding().processVmReadv(pid, address, buffer, offset, length);
}

/** Writes `length` bytes of `buffer` from `offset` to `address`. @returns bytes written, or -errno */
export function processVmWritev(
  pid: number, address: bigint, buffer: Uint8Array, offset: number, length: number,
): number {
  return binding().processVmWritev(pid, address, buffer, offset, length);
}
