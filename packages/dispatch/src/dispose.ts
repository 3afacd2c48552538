/**
 * Disposal: every handler once, whatever the others do.
 *
 * One that throws must not keep the next from being called, and what was thrown must not be lost.
 */
import { HandlerError } from './errors.js';

export interface Disposable {
  dispose(): void | PromiseLike<void>;
}

export async function disposeAll(disposables: Iterable<Disposable>): Promise<void> {
  const errors: unknown[] = [];
  for (const each of disposables) {
    try {
      await each.dispose();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 0) return;
  throw new HandlerError('ERR_SANDLOCK_HANDLER_DISPOSE',
    `dispose of ${errors.length} handler${errors.length === 1 ? '' : 's'} failed; see errors.`,
    { errors, cause: errors[0] });
}
