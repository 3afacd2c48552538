/**
 * Names of living sandboxes of this process: one that was asked for serves one run at a time.
 */
import { ProcessError } from '../errors.js';

const living = new Set<string>();
let counter = 0;

/** @throws {ProcessError} ERR_SANDLOCK_NAME_IN_USE */
export function claimName(asked: string | null): string {
  const name = asked ?? `sandbox-${process.pid}-${++counter}`;
  if (living.has(name)) {
    throw new ProcessError('ERR_SANDLOCK_NAME_IN_USE', `A sandbox with the name ${JSON.stringify(name)} is running. Wait for it, or leave the name out.`);
  }
  living.add(name);
  return name;
}

export function releaseName(name: string): void {
  living.delete(name);
}
