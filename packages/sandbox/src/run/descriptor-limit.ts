/**
 * How many descriptors a target may have: what the policy says, or what it inherits from us.
 */
import { readFileSync } from 'node:fs';

/** @returns the soft limit; Infinity: none */
export function descriptorLimit(maxOpenFiles: number | null): number {
  if (maxOpenFiles !== null) return maxOpenFiles;
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft);
}
