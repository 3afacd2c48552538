/** What this machine is, for those who ask before they build a sandbox. */
import { nativeArch, syscallNumber as numberOf } from '@sandlock/bpf';
import { landlockAbiVersion } from '@sandlock/sys';

import { MIN_LANDLOCK_ABI } from './landlock/protections.js';

/** The ABI version that every protection together needs. */
export const minLandlockAbi = MIN_LANDLOCK_ABI;

/** The Landlock ABI version of this kernel; -1 if it has none. */
export function landlockAbi(): number {
  return landlockAbiVersion() || -1;
}

/** Number of a system call on this architecture, by its libc name; undefined where there is none. */
export function syscallNumber(name: string): number | undefined {
  return numberOf(nativeArch(process.arch), name);
}
