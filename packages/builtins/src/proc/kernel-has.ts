/**
 * Which files this kernel's /proc has: not every one is built with everything, and none changes while it runs.
 */
import { existsSync } from 'node:fs';

const known = new Map<string, boolean>();

/** Asked of the machine once, for every run makes its views anew. */
export function kernelHas(path: string): boolean {
  let has = known.get(path);
  if (has === undefined) {
    has = existsSync(path);
    known.set(path, has);
  }
  return has;
}
