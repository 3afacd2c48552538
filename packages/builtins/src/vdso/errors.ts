/** What can be wrong with a vDSO. */
import { SandlockError } from '@sandlock/sys';

export class VdsoError extends SandlockError {
  declare readonly code:
    /** This machine has none, or one that is built in a way nobody here knows. Nothing was started. */
    | 'ERR_SANDLOCK_VDSO_LAYOUT'
    /** That of a process could not be patched, so that it would see another time than it should. */
    | 'ERR_SANDLOCK_VDSO_PATCH';
}

export function layoutError(message: string): VdsoError {
  return new VdsoError('ERR_SANDLOCK_VDSO_LAYOUT', `The vDSO of this machine cannot be patched: ${message}.`);
}
