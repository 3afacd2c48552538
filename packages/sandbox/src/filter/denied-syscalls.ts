/**
 * What is denied whatever its arguments, and with which errno.
 *
 * The blocklist answers EPERM. Two more kinds join it here: clone3, whose flags stand in memory where no filter
 * sees them, answers ENOSYS, on which every libc falls back to clone; and the setters of metadata, as long as
 * nothing is writable.
 */
import { syscallNumber, type Arch, type ErrnoName } from '@sandlock/bpf';

import { blockedNumbers, type BlocklistOptions } from './blocklist.js';
import { METADATA_SETTERS } from './metadata-setters.js';

export interface DenialOptions extends BlocklistOptions {
  readonly anythingWritable: boolean;
}

/** The numbers, ascending. */
export function deniedNumbers(arch: Arch, options: DenialOptions): number[] {
  const numbers = new Set(blockedNumbers(arch, options));
  for (const name of [...ABSENT, ...(options.anythingWritable ? [] : METADATA_SETTERS)]) {
    const nr = syscallNumber(arch, name);
    if (nr !== undefined) numbers.add(nr);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Made to look like calls that this kernel does not have. */
const ABSENT = ['clone3'];

export function denialErrno(arch: Arch, nr: number): ErrnoName {
  return ABSENT.some((name) => syscallNumber(arch, name) === nr) ? 'ENOSYS' : 'EPERM';
}
