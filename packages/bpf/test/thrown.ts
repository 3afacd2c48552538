import { expect } from 'vitest';

import { FilterError } from '../src/index.js';

/** The error that this throws. */
export function thrown(run: () => unknown): FilterError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(FilterError);
    return error as FilterError;
  }
  return expect.fail('nothing was thrown');
}
