/**
 * Disposal: every handler once, whatever the others do.
 *
 * One that throws, or whose promise never settles, must not keep the next from being called, and what
 * went wrong must not be lost.
 */
import { HandlerError } from './errors.js';

/** How long one dispose may take before the next is called and it counts as failed. */
const DISPOSE_LIMIT_MS = 5_000;

export interface Disposable {
  dispose(): void | PromiseLike<void>;
}

export async function disposeAll(disposables: Iterable<Disposable>, limitMs = DISPOSE_LIMIT_MS): Promise<void> {
  const errors: unknown[] = [];
  for (const each of disposables) {
    try {
      const pending = each.dispose();
      if (pending !== undefined) await inTime(pending, limitMs);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 0) return;
  throw new HandlerError('ERR_SANDLOCK_HANDLER_DISPOSE',
    `dispose of ${errors.length} handler${errors.length === 1 ? '' : 's'} failed; see errors.`,
    { errors, cause: errors[0] });
}

function inTime(pending: PromiseLike<void>, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`dispose did not settle within ${limitMs} ms.`)), limitMs);
    pending.then(
      () => { clearTimeout(timer); resolve(); },
      (error: unknown) => { clearTimeout(timer); reject(error as Error); },
    );
  });
}
