/**
 * What was looked at by a name is not there any more, or is not what it was: whoever may rename it, a program that runs, say,
 * does so now. What was decided is decided anew.
 */
export class Moved extends Error {
  constructor(readonly path: string) {
    super(`${path} was moved meanwhile.`);
  }
}

/** How often a name is tried, each time a throw of the coin where somebody exchanges two directories without a pause. */
export const LOOKS = 40;

/** Which object it is, whatever its name. */
export function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev} ${ino}`;
}

/** Of what has no identity, since nothing is there. */
export const MISSING = 'missing';
