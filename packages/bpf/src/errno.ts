/** Errno names and numbers, for actions and for reading filters. errno(3). */
import { ERRNO_NUMBERS } from './tables/errno-numbers.js';

export type ErrnoName = keyof typeof ERRNO_NUMBERS;

/** The kernel clamps a larger value to this one. include/linux/err.h, MAX_ERRNO. */
export const MAX_ERRNO = 4095;

export function isErrnoName(name: string): name is ErrnoName {
  return Object.hasOwn(ERRNO_NUMBERS, name);
}

export function errnoNumber(name: ErrnoName): number {
  return ERRNO_NUMBERS[name];
}

export function errnoName(errno: number): ErrnoName | undefined {
  for (const name in ERRNO_NUMBERS) if (ERRNO_NUMBERS[name as ErrnoName] === errno) return name as ErrnoName;
  return undefined;
}
