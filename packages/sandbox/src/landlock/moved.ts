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
