/**
 * What makes a run repeatable: its clock, its random numbers, and what is changed in the memory of every program that it
 * starts.
 */
import { random, startClock, VdsoError, vdsoPatch, type ImagePatch, type RandomFamily, type VirtualClock } from '@sandlock/builtins';

import { ConfinementError } from '../errors.js';
import type { Policy } from '../policy/policy.js';

export interface Determinism {
  /** undefined: the machine's. */
  readonly clock: VirtualClock | undefined;
  readonly random: RandomFamily | undefined;
  readonly imagePatches: readonly ImagePatch[];
}

/** @throws {ConfinementError} ERR_SANDLOCK_VDSO */
export function determinism(policy: Policy): Determinism {
  const { randomSeed, timeStartNs, timeFrozen } = policy;
  const clock = timeStartNs === null ? undefined : startClock(timeStartNs, { frozen: timeFrozen });
  const family = randomSeed === null ? undefined : random({ seed: randomSeed });
  const imagePatches: ImagePatch[] = [];
  if (clock !== undefined || family !== undefined) imagePatches.push(patchedVdso(policy, clock));
  if (family !== undefined) imagePatches.push(family.imagePatch);
  return { clock, random: family, imagePatches };
}

function patchedVdso({ randomSeed, arch }: Policy, clock: VirtualClock | undefined): ImagePatch {
  try {
    return vdsoPatch({ ...clock, noRandom: randomSeed !== null }, arch);
  } catch (error) {
    if (!(error instanceof VdsoError)) throw error;
    const option = clock === undefined ? 'randomSeed' : 'timeStart';
    throw new ConfinementError('ERR_SANDLOCK_VDSO', `${option} cannot be had here. ${error.message}`, { cause: error });
  }
}
