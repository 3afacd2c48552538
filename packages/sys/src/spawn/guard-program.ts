/**
 * The guard program as a descriptor.
 *
 * Opened once and kept. Some package managers drop the execute bit of files that are not commands; then a copy in
 * a memfd serves.
 */
import { accessSync, constants, readFileSync } from 'node:fs';

import { guardFile } from '../binding.js';
import { AT_FDCWD, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, MFD_ALLOW_SEALING, MFD_CLOEXEC, O_PATH } from '../constants.js';
import { addSeals, memfdCreate, openat, write } from '../files.js';
import { KeptFd } from '../kept-fd.js';

let opened: KeptFd | undefined;

/** Close-on-exec; owned by this module for as long as its thread lives. */
export function guardProgramFd(): number {
  return (opened ??= new KeptFd(open(guardFile()))).fd;
}

/** Path of the guard program: static, so it also serves as the smallest program there is to try a sandbox with. */
export function guardProgramPath(): string {
  return guardFile();
}

function open(file: string): number {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return copyToMemory(file);
  }
  return openat(AT_FDCWD, file, O_PATH);
}

function copyToMemory(file: string): number {
  const fd = memfdCreate('sandlock-guard', MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; ) at += write(fd, bytes.subarray(at));
  addSeals(fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return fd;
}
