/**
 * Callbacks of others, called so that their failing stays theirs.
 *
 * Also of those that turn out to be async: a rejection that nobody takes ends a Node.js process, and with
 * it the supervision.
 */
export function contained(run: () => unknown, onError: (error: unknown) => void): boolean {
  try {
    const result = run();
    if (isThenable(result)) result.then(undefined, onError);
    return true;
  } catch (error) {
    onError(error);
    return false;
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
  } catch {
    return false; // a hostile getter
  }
}
