/**
 * The vDSO image of this machine, as this process has it: the one that every other process gets at exec.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

import { layoutError } from './errors.js';

/** Larger ones do not exist, and would not be read for every image. */
const MAX_BYTES = 64 * 1024;

let known: Buffer | undefined;

/** @throws {VdsoError} ERR_SANDLOCK_VDSO_LAYOUT: there is none */
export function ownVdsoImage(): Buffer {
  return (known ??= readMapped(readFileSync('/proc/self/maps', 'latin1')));
}

function readMapped(maps: string): Buffer {
  const line = /^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$/m.exec(maps);
  if (line === null) throw layoutError('this process has none');
  const [start, end] = [Number.parseInt(line[1]!, 16), Number.parseInt(line[2]!, 16)];
  if (end - start > MAX_BYTES) throw layoutError(`it has ${end - start} bytes`);
  const image = Buffer.alloc(end - start);
  const fd = openSync('/proc/self/mem', 'r');
  try {
    if (readSync(fd, image, 0, image.length, start) !== image.length) throw layoutError('it cannot be read whole');
  } finally {
    closeSync(fd);
  }
  return image;
}
