/**
 * What makes a run repeatable: its clock, and what is changed in the memory of every program that it starts.
 */
import { startClock, VdsoError, vdsoPatch, type ImagePatch, type VirtualClock } from '@sandlock/builtins';

import { ConfinementError } from '../errors.js';
import type { Policy } from '../policy/policy.js';

export interface Determinism {
  /** undefined: the machine's. */
  readonly clock: VirtualClock | undefined;
  readonly imagePatches: readonly ImagePatch[];
}

/** @throws {ConfinementError} ERR_SANDLOCK_VDSO */
export function determinism({ timeStartNs, arch }: Policy): Determinism {
  if (timeStartNs === null) return { clock: undefined, imagePatches: [] };
  const clock = startClock(timeStartNs);
  try {
    return { clock, imagePatches: [vdsoPatch({ offsetNs: clock.offsetNs }, arch)] };
  } catch (error) {
    if (!(error instanceof VdsoError)) throw error;
    throw new ConfinementError('ERR_SANDLOCK_VDSO', `timeStart cannot be had here. ${error.message}`, { cause: error });
  }
}
