/**
 * Files of /proc: there one moment, gone the next.
 *
 * A process that has ended is an answer like any other. Everything else that keeps us from looking is thrown:
 * taken for an end, it would make living processes uncounted.
 */
import { closeSync, openSync, readSync } from 'node:fs';

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

/** One read: as much of the file as is there at once. @returns bytes read */
export function readFirst(path: string, buffer: Uint8Array): number {
  const fd = openSync(path, 'r');
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } finally {
    closeSync(fd);
  }
}

/** All of it, as latin1. */
export function readWhole(path: string, buffer: Buffer): string {
  const fd = openSync(path, 'r');
  try {
    let text = '';
    for (;;) { // a page at a time, however large the buffer
      const got = readSync(fd, buffer, 0, buffer.length, null);
      if (got === 0) return text;
      text += buffer.toString('latin1', 0, got);
    }
  } finally {
    closeSync(fd);
  }
}
