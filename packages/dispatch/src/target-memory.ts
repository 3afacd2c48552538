/**
 * Target memory.
 *
 * A pid may be taken by another task between any two steps, so every access stands between two checks
 * that the call still waits: before, so that no foreign process is touched knowingly; after, because
 * only then it is certain that the bytes are the target's. The memory itself may still change; what was
 * read is our own copy.
 * seccomp_unotify(2), "Caveats regarding the use of /proc/[tid]/mem"; process_vm_readv(2).
 */
import { isUtf8 } from 'node:buffer';
import { constants } from 'node:os';

import type { Listener } from './listener.js';
import { losslessText } from './lossless-text.js';
import { asInt32 } from './registers.js';
import { failure, type DupFd, type MemoryBytes, type MemoryWritten, type TargetFailure, type TargetString } from './target-result.js';

/** The most that one read copies: a length is often the target's own number. */
export const MAX_READ_BYTES = 16 * 1024 * 1024;
const PAGE_BYTES = 4096;
const ADDRESS_END = 2n ** 64n;

const { EBADF, EFAULT, EMFILE, ENFILE } = constants.errno;

interface Waiting {
  readonly id: bigint;
  readonly pid: number;
}

/** Reads go through here and are copied out; nothing keeps it between two reads. */
const scratch = Buffer.alloc(PAGE_BYTES);

export function readMemory(listener: Listener, call: Waiting, address: bigint, length: number | bigint): MemoryBytes {
  const size = checkedLength(length);
  if (size === undefined) return failure('tooLarge');
  if (!isAddress(address)) return failure('fault');
  if (listener.idValid(call.id) !== 0) return failure('gone');
  if (size === 0) return { ok: true, bytes: Buffer.alloc(0) };
  const whole = size <= PAGE_BYTES ? scratch : Buffer.alloc(size);
  const got = listener.readMemory(call.pid, address, whole, 0, size);
  if (listener.idValid(call.id) !== 0) return failure('gone');
  if (got < 0) return accessFailure(got);
  if (got === 0) return failure('fault');
  return { ok: true, bytes: whole === scratch ? Buffer.from(scratch.subarray(0, got)) : whole.subarray(0, got) };
}

export function readCString(listener: Listener, call: Waiting, address: bigint, maxLength: number): TargetString {
  if (!Number.isInteger(maxLength) || maxLength < 0) throw new RangeError(`maxLength is a count of bytes, not ${maxLength}.`);
  if (address === 0n || !isAddress(address)) return failure('fault');
  if (maxLength === 0) return failure('truncated');
  if (maxLength > MAX_READ_BYTES) return failure('tooLarge');
  if (listener.idValid(call.id) !== 0) return failure('gone');

  let taken: Buffer | undefined;
  let total = 0;
  while (total < maxLength) {
    const at = address + BigInt(total);
    if (at >= ADDRESS_END) return failure('fault');
    // Never across a page: a string that ends right before an unmapped one is readable.
    const chunk = Math.min(PAGE_BYTES - Number(at & BigInt(PAGE_BYTES - 1)), maxLength - total);
    const got = listener.readMemory(call.pid, at, scratch, 0, chunk);
    if (got <= 0) return listener.idValid(call.id) === 0 ? accessFailure(got) : failure('gone');
    const end = scratch.subarray(0, got).indexOf(0);
    const piece = scratch.subarray(0, end < 0 ? got : end);
    taken = taken === undefined ? Buffer.from(piece) : Buffer.concat([taken, piece]);
    if (end >= 0) {
      if (listener.idValid(call.id) !== 0) return failure('gone');
      return targetString(taken);
    }
    total += got;
  }
  return listener.idValid(call.id) === 0 ? failure('truncated') : failure('gone');
}

export function writeMemory(listener: Listener, call: Waiting, address: bigint, data: Uint8Array): MemoryWritten {
  if (data.length > MAX_READ_BYTES) return failure('tooLarge');
  if (!isAddress(address)) return failure('fault');
  if (listener.idValid(call.id) !== 0) return failure('gone');
  if (data.length === 0) return { ok: true };
  const put = listener.writeMemory(call.pid, address, data, 0, data.length);
  if (listener.idValid(call.id) !== 0) return failure('gone');
  if (put < 0) return accessFailure(put);
  return put === data.length ? { ok: true } : failure('fault');
}

export function dupFd(listener: Listener, call: Waiting, fd: number | bigint): DupFd {
  // The kernel looks at the low 32 bits of a descriptor argument, as an int.
  const number = typeof fd === 'bigint' ? asInt32(fd) : fd;
  if (!Number.isInteger(number) || number < 0 || number > 0x7fffffff) return failure('badFd');
  if (listener.idValid(call.id) !== 0) return failure('gone');
  const copy = listener.dupFd(call.pid, number);
  if (listener.idValid(call.id) !== 0) {
    if (copy >= 0) listener.closeFd(copy); // perhaps of a process that has nothing to do with us
    return failure('gone');
  }
  if (copy >= 0) return { ok: true, fd: copy };
  if (copy === -EBADF) return failure('badFd');
  return copy === -EMFILE || copy === -ENFILE ? failure('exhausted') : failure('noAccess');
}

export function targetString(bytes: Buffer): TargetString & { ok: true } {
  return { ok: true, bytes, text: losslessText(bytes), isUtf8: isUtf8(bytes) };
}

function accessFailure(got: number): TargetFailure {
  return got === 0 || got === -EFAULT ? failure('fault') : failure('noAccess');
}

function isAddress(address: bigint): boolean {
  if (typeof address !== 'bigint') throw new TypeError(`An address is a bigint, not ${String(address)}.`);
  return address >= 0n && address < ADDRESS_END;
}

/** undefined: more than we copy. */
function checkedLength(length: number | bigint): number | undefined {
  if (typeof length === 'bigint' ? length < 0n : !Number.isInteger(length) || length < 0) {
    throw new RangeError(`length is a count of bytes, not ${String(length)}.`);
  }
  return length > MAX_READ_BYTES ? undefined : Number(length);
}
