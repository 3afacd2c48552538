/**
 * The signal that a process gets when its parent ends.
 *
 * The program is bound to the life of its guard by one, which it has to keep. Nobody else has it: fork(2) clears it. So whoever is
 * no child of the guard may choose, as database servers and pools of workers do for theirs. An orphan, which the guard has adopted, had
 * none to lose and is refused all the same; who becomes one between our look and the kernel's neither.
 * PR_SET_PDEATHSIG(2const)  ->  continue, or EPERM
 */
import { arg, arg32, type ArgCondition } from '@sandlock/bpf';
import { action, type FamilyEntry } from '@sandlock/dispatch';
import { signals } from '@sandlock/sys';

import { readStat } from './process-stat.js';

const PR_SET_PDEATHSIG = 1;

/** What could weaken it. The option is an int; the signal is an unsigned long, and more than 64 is EINVAL: kernel/sys.c */
export const WEAKER_PARENT_DEATH: readonly ArgCondition[] = [arg32(0).eq(PR_SET_PDEATHSIG), arg(1).ne(signals.SIGKILL)];

export function parentDeath(guardPid: () => number): Readonly<Record<string, FamilyEntry>> {
  return {
    prctl: {
      handler(context) {
        const stat = readStat(context.pid); // a thread has the parent of its process
        // It was the caller's only if the call still waits.
        return stat !== undefined && stat.ppid !== guardPid() && context.isValid() ? action.continue() : action.errno('EPERM');
      },
      when: WEAKER_PARENT_DEATH,
      onException: 'denyEperm',
    },
  };
}
