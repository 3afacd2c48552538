/**
 * Our own output, written at once.
 *
 * Not through process.stdout and process.stderr: making those streams takes longer than a whole run may, and what is
 * written must be out before the exit.
 */
import { writeSync } from 'node:fs';

export function writeOut(text: string): void {
  writeAll(1, text);
}

/** A stderr that is closed or full up is no reason to fail: there is nowhere to say so. */
export function writeError(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // The exit code still tells.
  }
}

/** @throws what write(2) fails with, except that somebody's non-blocking descriptor is waited for */
export function writeAll(fd: number, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
