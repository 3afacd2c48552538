/** Random rule sets that an OCI profile can say, for libseccomp to compile as well. */
import {
  type Action, allow, type Arch, arg, type ArgCondition, errno, type FilterDescription, killProcess, killThread,
  log, type Rule, syscallNames, syscallNumber, trace, trap, userNotif,
} from '../src/index.js';
import { type Random } from './random.js';
import { randomValue } from './random-description.js';

/** Architectures of one machine each. */
const SETS: readonly (readonly Arch[])[] = [['x86_64'], ['x86_64'], ['aarch64'], ['riscv64'], ['i386'], ['arm'],
  ['x86_64', 'i386', 'x32'], ['x86_64', 'x32'], ['aarch64', 'arm']];
export const NARROW: readonly Arch[] = ['i386', 'arm', 'x32'];
/** On i386 libseccomp lets rules on these also decide socketcall and ipc; here a rule decides what it names. */
const MULTIPLEXED = /^(socket|socketpair|bind|connect|listen|accept4?|get(sock|peer)name|send(to|msg|mmsg)?|recv(from|msg|mmsg)?|shutdown|[gs]etsockopt|socketcall|ipc|(sem|msg|shm)\w+)$/;

/**
 * How the rules on one call relate:
 * `single`  one rule a call, on one to three arguments
 * `same`    up to five rules a call, all asking for values of the same argument, as profiles do for personality
 * `free`    up to four rules a call on any arguments
 */
export type Shape = 'single' | 'same' | 'free';

/** A rule set of the kind a profile can say: same rules on all architectures, one action for all conditions of a call. */
export function profileLike(random: Random, shape: Shape): FilterDescription {
  const arches = random.pick(SETS);
  const actions: Action[] = [allow(), errno(1 + random.below(100)), errno(38), killProcess(), killThread(), log(), trap(), trace(5), userNotif()];
  const defaultAction = random.pick(actions);
  const others = actions.filter((one) => JSON.stringify(one) !== JSON.stringify(defaultAction) && (defaultAction.type !== 'errno' || one.type !== 'errno'));
  const names = syscallNames(arches[0]!).filter((name) => !arches.includes('i386') || !MULTIPLEXED.test(name));
  const many = shape !== 'free' && random.chance(5);
  const chosen = new Set(Array.from({ length: 1 + random.below(shape === 'free' ? 3 : many ? 120 : 10) }, () => random.pick(names)));
  const rules = [...chosen].flatMap((syscall): Rule[] => {
    const action = random.pick(others);
    if (random.chance(3)) return [{ syscall, action }];
    const index = random.below(6);
    const when = (): ArgCondition[] => shape === 'same' ? [arg(index).eq(randomValue(random))]
      : [...new Set(Array.from({ length: 1 + random.below(3) }, () => random.below(6)))].map((one) => condition(random, one));
    return Array.from({ length: shape === 'single' ? 1 : 1 + random.below(shape === 'same' ? 5 : 4) }, () => ({ syscall, when: when(), action }));
  });
  return {
    defaultAction,
    architectures: arches.map((arch) => ({
      arch,
      rules: rules.filter(({ syscall }) => syscallNumber(arch, String(syscall)) !== undefined)
        .map((rule) => NARROW.includes(arch) && rule.when !== undefined ? { ...rule, when: rule.when.map(lowHalf) } : rule),
    })),
  };
}

function condition(random: Random, index: number): ArgCondition {
  const [value, mask] = [randomValue(random), randomValue(random)];
  const on = arg(index);
  return random.pick<() => ArgCondition>([() => on.eq(value), () => on.ne(value), () => on.lt(value), () => on.le(value),
    () => on.gt(value), () => on.ge(value), () => on.maskedEq(mask, value & mask), () => on.maskedEq(mask, 0)])();
}

/** What the reader of profiles makes of a condition where libseccomp compares low halves. */
function lowHalf(one: ArgCondition): ArgCondition {
  const mask = one.mask === undefined ? {} : { mask: one.mask & 0xffffffffn };
  return { ...one, value: one.value & 0xffffffffn, ...mask, width: 32 };
}
