/** Descriptions and calls made to hit each other: every compared value, one beside it, and other words. */
import {
  type Action, allow, type Arch, type ArgCondition, arg, arg32, AUDIT_ARCH, errno, type FilterDescription,
  killProcess, killThread, log, type Rule, syscallNames, syscallNumber, trace, trap, userNotif,
} from '../src/index.js';
import { type Call } from './oracle.js';
import { type Random } from './random.js';

const INTERESTING = [0n, 1n, 2n, 8n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x100000008n,
  0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffff00000000n, 0xffffffffffffffffn];

export function randomValue(random: Random): bigint {
  if (random.chance(2)) return random.pick(INTERESTING);
  const wide = (BigInt(random.word()) << 32n) | BigInt(random.word());
  return random.chance(2) ? BigInt(random.below(16)) : wide;
}

export function randomAction(random: Random): Action {
  return random.pick<() => Action>([
    allow, allow, log, userNotif, killThread, killProcess,
    () => errno(random.below(200)), () => trap(random.below(65536)), () => trace(random.below(65536)),
  ])();
}

export function randomCondition(random: Random, index = random.below(6)): ArgCondition {
  const width = random.chance(3) ? 32 : 64;
  const plain = width === 64 ? arg(index) : arg32(index);
  const signed = random.chance(4);
  const value = BigInt.asUintN(width, randomValue(random));
  const asSigned = BigInt.asIntN(width, value);
  switch (random.below(8)) {
    case 0: return plain.eq(random.chance(4) ? asSigned : value);
    case 1: return plain.ne(value);
    case 2: return signed ? plain.signed.lt(asSigned) : plain.lt(value);
    case 3: return signed ? plain.signed.le(asSigned) : plain.le(value);
    case 4: return signed ? plain.signed.gt(asSigned) : plain.gt(value);
    case 5: return signed ? plain.signed.ge(asSigned) : plain.ge(value);
    default: {
      const mask = BigInt.asUintN(width, random.chance(3) ? 1n << BigInt(random.below(width)) : randomValue(random));
      return plain.maskedEq(mask, value & mask);
    }
  }
}

export function randomDescription(random: Random, arches: readonly Arch[] = Object.keys(AUDIT_ARCH) as Arch[]): FilterDescription {
  const chosen = arches.filter(() => random.chance(2));
  if (chosen.length === 0) chosen.push(random.pick(arches));
  const actions = Array.from({ length: 1 + random.below(4) }, () => randomAction(random));
  return {
    defaultAction: random.pick(actions),
    ...(random.chance(2) ? { badArchAction: randomAction(random) } : {}),
    architectures: chosen.map((arch) => {
      const rules: Rule[] = [];
      const names = syscallNames(arch);
      const decided = new Set<number>();
      for (let i = random.below(random.chance(4) ? 200 : 12); i > 0; i--) {
        const syscall = random.pick(names);
        // One argument again and again, as real profiles have it.
        const index = random.below(6);
        for (let j = random.chance(2) ? 1 : 1 + random.below(5); j > 0; j--) {
          if (decided.has(syscallNumber(arch, syscall)!)) break;
          const when = Array.from({ length: random.below(4) },
            () => randomCondition(random, random.chance(3) ? undefined : index));
          if (when.length === 0) decided.add(syscallNumber(arch, syscall)!);
          rules.push({ syscall: random.chance(5) ? syscallNumber(arch, syscall)! : syscall, when, action: random.pick(actions) });
        }
      }
      const x32 = arch === 'x86_64' && !chosen.includes('x32') && random.chance(2);
      return { arch, rules, ...(x32 ? { x32Action: random.pick(actions) } : {}) };
    }),
  };
}

/** Calls at the edges of the description: its numbers and those beside, its values and those beside. */
export function randomCalls(random: Random, description: FilterDescription, count: number): Call[] {
  const rules = description.architectures.flatMap(({ arch, rules }) => rules.map((rule) => ({ arch, rule })));
  return Array.from({ length: count }, () => {
    const args = Array.from({ length: 6 }, () => randomValue(random));
    if (rules.length === 0 || random.chance(8)) {
      return { nr: random.word(), arch: random.pick([...Object.values(AUDIT_ARCH), random.word()]), args };
    }
    const { arch, rule } = random.pick(rules);
    const nr = typeof rule.syscall === 'string' ? syscallNumber(arch, rule.syscall)! : rule.syscall;
    for (const condition of rule.when ?? []) args[condition.index] = near(random, condition, args[condition.index]!);
    const beside = random.chance(10) ? random.below(3) - 1 : 0;
    const audit = random.chance(12) ? random.pick(Object.values(AUDIT_ARCH)) : AUDIT_ARCH[arch];
    return { nr: (nr + beside) >>> 0, arch: audit, args };
  });
}

function near(random: Random, { value, mask, width }: ArgCondition, other: bigint): bigint {
  let at = value + BigInt(random.below(3) - 1) * BigInt(random.below(2));
  if (mask !== undefined && random.chance(2)) at = value | (other & ~mask); // the bits outside the mask do not count
  if (random.chance(6)) at ^= 1n << BigInt(random.below(64));
  if (width === 32 && random.chance(2)) at = (at & 0xffffffffn) | (other << 32n);
  return BigInt.asUintN(64, at);
}
