/** The bytes of a file or of stdin, up to more than any filter needs. */
import { closeSync, openSync, readSync } from 'node:fs';

const MOST_BYTES = 16 << 20;
const STDIN = 0;

/** How messages call an input. */
export function inputName(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/** @param file a path, or `-` for stdin @throws what open(2) and read(2) fail with */
export function readInput(file: string): Uint8Array {
  const fd = file === '-' ? STDIN : openSync(file, 'r');
  try {
    return readAll(fd, inputName(file));
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
}

function readAll(fd: number, name: string): Uint8Array {
  const parts: Buffer[] = [];
  for (let length = 0; ; ) {
    const part = Buffer.alloc(64 << 10);
    const got = readSome(fd, part);
    if (got === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, got));
    length += got;
    if (length > MOST_BYTES) throw new Error(`${name}: more than ${MOST_BYTES} bytes; no filter is that long.`);
  }
}

/** Whoever made the pipe may have left it non-blocking. */
function readSome(fd: number, part: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, part);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
