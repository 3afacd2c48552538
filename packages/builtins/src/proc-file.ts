/**
 * Files of /proc: there one moment, gone the next.
 *
 * A process that has ended is an answer like any other. Everything else that keeps us from looking is thrown:
 * taken for an end, it would make living processes uncounted.
 */
import { readFileInto } from '@sandlock/sys';
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';

/** ENOENT and ESRCH: it has ended. EACCES and EPERM: not ours to see, so no member. */
const ABSENT = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** All of it. @returns undefined: it is longer than that */
export function readSome(path: string, maxBytes: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(maxBytes);
  const length = readFileInto(path, buffer);
  return length < maxBytes ? buffer.subarray(0, length) : undefined;
}

/** All of it, as latin1. @throws {RangeError} it is longer than that */
export function readWhole(path: string, buffer: Buffer, maxBytes = Infinity): string {
  const length = readFileInto(path, buffer);
  const text = length < buffer.length ? buffer.toString('latin1', 0, length) : readLong(path, buffer, maxBytes);
  if (text.length > maxBytes) throw new RangeError(`${path} is longer than ${maxBytes} bytes.`);
  return text;
}

/** More than the buffer has room for, and no more than a buffer beyond the limit. */
function readLong(path: string, buffer: Buffer, maxBytes: number): string {
  const fd = openSync(path, 'r');
  try {
    let text = '';
    for (let got = -1; got !== 0 && text.length <= maxBytes;) {
      got = readSync(fd, buffer, 0, buffer.length, null);
      text += buffer.toString('latin1', 0, got);
    }
    return text;
  } finally {
    closeSync(fd);
  }
}

/**
 * What a descriptor of a task is of, as /proc/<pid>/fd says: a path, or a kind and a number. undefined: it is gone, or not
 * ours to see. Empty: a path so long that the kernel does not give it.
 */
export function descriptorLink(pid: number, fd: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENAMETOOLONG') return '';
    if (ABSENT.has(code)) return undefined;
    throw error;
  }
}
