/**
 * How many descriptors a target may have: what the policy says, or what it inherits from us.
 */
import { prlimit, RLIM_INFINITY, RLIMIT_NOFILE } from '@sandlock/sys';

/** @returns the soft limit; Infinity: none */
export function descriptorLimit(maxOpenFiles: number | null): number {
  if (maxOpenFiles !== null) return maxOpenFiles;
  const { soft } = prlimit(0, RLIMIT_NOFILE);
  return soft === RLIM_INFINITY ? Infinity : Number(soft);
}
