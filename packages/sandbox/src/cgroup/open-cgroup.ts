/**
 * The control group for a run: in the one that was named, or in one of this process's own where that needs nobody's leave.
 *
 * What was named has to do all that the limits ask for. What was found does what it can; the supervisor and the guard see to
 * the rest, as they do where there is none.
 */
import { ConfinementError } from '../errors.js';
import { showPath } from '../options/grammar/fs-path.js';
import type { Policy } from '../policy/policy.js';
import { offer, UnusableCgroup, type Controller } from './controllers.js';
import type { CgroupLimits } from './limits.js';
import { ownCgroups } from './own-cgroups.js';
import { RunCgroup } from './run-cgroup.js';

type Asked = Pick<Policy, 'cgroup' | 'memory' | 'maxCpu' | 'supervised'>;

/**
 * @returns undefined: the run has none
 * @throws {ConfinementError} ERR_SANDLOCK_CGROUP: the one that was named cannot be used
 */
export function openCgroup(policy: Asked, own: () => readonly string[] = ownCgroups): RunCgroup | undefined {
  const wanted: Controller[] = [...(policy.memory === null ? [] : ['memory' as const]), ...(policy.maxCpu === null ? [] : ['cpu' as const])];
  if (policy.cgroup === 'none') return undefined;
  if (policy.cgroup !== null) return openNamed(policy.cgroup, wanted, policy);
  // Only a supervisor keeps a program from its own group.
  return wanted.length > 0 && policy.supervised ? openFound(own, wanted, policy) : undefined;
}

function openNamed(path: Uint8Array, wanted: readonly Controller[], policy: Asked): RunCgroup {
  const directory = Buffer.from(path).toString('latin1').replace(/(?<=.)\/+$/, '');
  const refuse = (why: string, cause?: unknown): never => {
    throw new ConfinementError('ERR_SANDLOCK_CGROUP', `The control group ${showPath(path)} cannot be used: ${why}.`, { path: showPath(path), cause });
  };
  try {
    const { has, lacks } = offer(directory, wanted);
    for (const why of lacks.values()) refuse(`it ${why}`);
    return RunCgroup.make(directory, limitsOf(policy, has));
  } catch (error) {
    if (error instanceof ConfinementError) throw error;
    return refuse(error instanceof UnusableCgroup ? error.message : `no group can be made in it (${(error as Error).message})`, error);
  }
}

function openFound(own: () => readonly string[], wanted: readonly Controller[], policy: Asked): RunCgroup | undefined {
  try {
    for (const directory of own()) {
      const group = tried(directory, wanted, policy);
      if (group !== undefined) return group;
    }
  } catch {
    // No /proc to ask.
  }
  return undefined;
}

function tried(directory: string, wanted: readonly Controller[], policy: Asked): RunCgroup | undefined {
  try {
    const { has } = offer(directory, wanted);
    return has.length > 0 ? RunCgroup.make(directory, limitsOf(policy, has)) : undefined;
  } catch {
    return undefined;
  }
}

function limitsOf({ memory, maxCpu }: Asked, controllers: readonly Controller[]): CgroupLimits {
  return {
    ...(memory !== null && controllers.includes('memory') ? { memory: memory.limitBytes } : {}),
    ...(maxCpu !== null && controllers.includes('cpu') ? { cpu: maxCpu } : {}),
  };
}
