/**
 * What a description means, without a compiler: rules looked up one by one.
 */
import {
  type Action, type ArchRules, AUDIT_ARCH, conditionHolds, encodeAction, errno, type FilterDescription, killProcess, type Rule,
  syscallNumber,
} from '../src/index.js';

export interface Call { nr: number; arch: number; args?: readonly bigint[] }

/** The return value that a compiled filter must give. */
export function judge(description: FilterDescription, { nr, arch, args = [] }: Call): number {
  return encodeAction(decide(description, nr >>> 0, arch >>> 0, args));
}

function decide(description: FilterDescription, nr: number, arch: number, args: readonly bigint[]): Action {
  const badArch = description.badArchAction ?? killProcess();
  const named = description.architectures.filter((one) => AUDIT_ARCH[one.arch] === arch);
  if (named.length === 0) return badArch;
  const wantsX32 = arch === AUDIT_ARCH.x86_64 && nr >= 0x40000000;
  const entry = named.find((one) => (one.arch === 'x32') === wantsX32);
  if (entry === undefined) return wantsX32 ? named[0]!.x32Action ?? errno('ENOSYS') : badArch;
  const rule = rulesOn(entry).get(nr)?.find(({ when = [] }) => when.every((condition) => conditionHolds(condition, args)));
  return rule?.action ?? description.defaultAction;
}

const byNumber = new WeakMap<ArchRules, Map<number, Rule[]>>();

function rulesOn(entry: ArchRules): Map<number, Rule[]> {
  let rules = byNumber.get(entry);
  if (rules === undefined) {
    rules = new Map();
    for (const rule of entry.rules) {
      const nr = typeof rule.syscall === 'string' ? syscallNumber(entry.arch, rule.syscall)! : rule.syscall;
      rules.set(nr, [...rules.get(nr) ?? [], rule]);
    }
    byNumber.set(entry, rules);
  }
  return rules;
}
