/**
 * The policy's grants as the families that serve files ask for them: may this name be read, may it be written.
 *
 * A grant holds for what its path leads to now and for everything beneath. One in a procfs holds by the name it was
 * given: `/proc/self` leads to this process and means the target's own.
 */
import type { Grants } from '@sandlock/builtins';
import { realpathSync } from 'node:fs';

import { isWithin } from '../landlock/mount-points.js';
import type { Policy, PolicyGrant } from '../policy/policy.js';

export interface ViewGrants extends Grants {
  /** Whether a grant lies in /proc or has it beneath. */
  readonly procGranted: boolean;
}

const PROC = '/proc';

export function viewGrants({ readable, writable }: Policy['fs']): ViewGrants {
  const written = writable.flatMap(names);
  const read = [...readable.flatMap(names), ...written]; // writing includes reading
  return {
    mayRead: (path) => read.some((granted) => isWithin(path, granted)),
    mayWrite: (path) => written.some((granted) => isWithin(path, granted)),
    procGranted: read.some((granted) => isWithin(granted, PROC) || isWithin(PROC, granted)),
  };
}

/** A path as it was granted, and as it is resolved. A character a byte. */
function names({ path }: PolicyGrant): string[] {
  const given = Buffer.from(path).toString('latin1').replace(/(?<=.)\/+$/, '');
  if (isWithin(given, PROC)) return [given];
  try {
    return [...new Set([given, realpathSync.native(Buffer.from(path), 'latin1')])];
  } catch {
    return [given]; // gone, which whoever opens it will find
  }
}
