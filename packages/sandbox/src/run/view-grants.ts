/**
 * The policy's grants as the families that serve files ask for them: may this name be read, may it be written.
 *
 * A grant holds for what its path leads to now and for everything beneath. One in a procfs holds by the name it was
 * given: `/proc/self` leads to this process and means the target's own.
 */
import type { Grants } from '@sandlock/builtins';

import { isWithin } from '../landlock/mount-points.js';
import type { Policy, PolicyGrant } from '../policy/policy.js';
import type { RealPaths } from '../policy/real-paths.js';

export interface ViewGrants extends Grants {
  /** Whether a grant lies in /proc or has it beneath. */
  readonly procGranted: boolean;
}

const PROC = '/proc';

export function viewGrants({ readable, writable }: Policy['fs'], paths: RealPaths): ViewGrants {
  const written = writable.flatMap((grant) => names(grant, paths));
  const read = [...readable.flatMap((grant) => names(grant, paths)), ...written]; // writing includes reading
  return {
    mayRead: (path) => read.some((granted) => isWithin(path, granted)),
    mayWrite: (path) => written.some((granted) => isWithin(path, granted)),
    procGranted: read.some((granted) => isWithin(granted, PROC) || isWithin(PROC, granted)),
  };
}

/** A path as it was granted, and as it is resolved. A character a byte. */
function names({ path }: PolicyGrant, paths: RealPaths): string[] {
  const given = Buffer.from(path).toString('latin1').replace(/(?<=.)\/+$/, '');
  if (isWithin(given, PROC)) return [given];
  const real = paths.of(path);
  return real === undefined || real === given ? [given] : [given, real];
}
