/**
 * What Landlock gives of the file system, and what is left for the supervisor to serve: made, as a ruleset, before anything else
 * is made of it.
 *
 * Mounts and files are looked at by their names several times until the rules are there, and a program that runs already may
 * rename them between any two of these. Each step knows what the one before has seen, and where that is gone, all is done anew.
 */
import type { View } from '@sandlock/builtins';
import { landlockAbiVersion } from '@sandlock/sys';

import { ConfinementError } from '../errors.js';
import { divideGrants, type DividedGrants } from '../landlock/divided-grants.js';
import { type Holes, holes } from '../landlock/holes.js';
import { landlockPlan, type LandlockPlan } from '../landlock/landlock-plan.js';
import { Moved } from '../landlock/moved.js';
import type { Policy } from '../policy/policy.js';
import { RealPaths } from '../policy/real-paths.js';
import type { LeasedRuleset } from './kept-rulesets.js';

const ATTEMPTS = 20;

export interface GrantedFiles {
  readonly landlock: LandlockPlan;
  readonly served: DividedGrants['served'];
  readonly isLasting: Holes['isLasting'];
}

/**
 * @param views    what stands in for something of the machine's, or says that it is absent
 * @param ruleset  takes what comes of the plan
 * @param last     what came of it at the last start and would again, if that is known
 * @throws {ConfinementError} ERR_SANDLOCK_FILES_MOVING; and as landlockPlan() and createRuleset()
 */
export function grantFiles(
  policy: Policy, views: readonly Pick<View, 'path' | 'absent'>[], paths: RealPaths, ruleset: LeasedRuleset, last?: GrantedFiles,
): GrantedFiles {
  if (last !== undefined && ruleset.takeKept(last.landlock)) return last;
  for (let attempt = 1; ; attempt++) {
    try {
      const found = holes(views);
      const { landlock: fs, served } = divideGrants(policy.fs, found, attempt === 1 ? paths : new RealPaths());
      const landlock = landlockPlan({ ...policy, fs }, landlockAbiVersion());
      ruleset.take(landlock);
      return { landlock, served, isLasting: found.isLasting };
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      if (attempt === ATTEMPTS) throw keepsMoving(error);
    }
  }
}

function keepsMoving(cause: Moved): ConfinementError {
  return new ConfinementError('ERR_SANDLOCK_FILES_MOVING',
    `Mounts, directories above them or granted files keep being moved, so that no rules could be made for what is there: ${cause.path} led elsewhere at `
    + 'every look. Start the program when nobody moves them.', { path: cause.path, cause });
}
