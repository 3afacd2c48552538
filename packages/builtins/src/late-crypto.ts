/**
 * node:crypto, loaded when it is first needed.
 *
 * Loading it takes longer than everything else of a start, and only a seeded run needs it.
 */
import type * as Crypto from 'node:crypto';

export function crypto(): typeof Crypto {
  return process.getBuiltinModule('node:crypto');
}
