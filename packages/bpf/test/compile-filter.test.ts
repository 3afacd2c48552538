import { describe, expect, it } from 'vitest';

import {
  allow, type Arch, arg, arg32, AUDIT_ARCH, compileFilter, errno, type Filter, type FilterDescription, killProcess, log,
  type Rule, simulate, simulator, syscallNames, syscallNumber, userNotif, validateProgram,
} from '../src/index.js';
import { judge } from './oracle.js';
import { Random } from './random.js';
import { randomCalls, randomDescription } from './random-description.js';

/** Every number an architecture may be called with: the table and far beyond, x32's, the private ones, the ends. */
const NUMBERS = [
  ...Array.from({ length: 1200 }, (_, i) => i),
  ...Array.from({ length: 1200 }, (_, i) => 0x40000000 + i),
  ...[0x3fffffff, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xfffffffe, 0xffffffff, 0xeffff],
  ...Array.from({ length: 10 }, (_, i) => 0xf0000 + i),
];
const ARCH_NUMBERS = [...new Set(Object.values(AUDIT_ARCH)), 0, 0xffffffff, 0xc000003f];

function expectOracle(description: FilterDescription, filter: Filter, numbers: readonly number[] = NUMBERS): void {
  expect(validateProgram(filter)).toEqual([]);
  const run = simulator(filter);
  const words = new Uint32Array(16);
  const wrong: unknown[] = [];
  for (const arch of ARCH_NUMBERS) {
    for (const nr of numbers) {
      words[0] = nr;
      words[1] = arch;
      const [got, wanted] = [run(words), judge(description, { nr, arch })];
      if (got !== wanted) wrong.push({ nr, arch, got, wanted });
    }
  }
  expect(wrong).toEqual([]);
}

const rulesOn = (numbers: readonly number[], action = errno('EPERM')): Rule[] =>
  numbers.map((syscall) => ({ syscall, action }));

describe.each(['tree', 'linear'] as const)('compileFilter, layout %s', (layout) => {
  it('judges every number of every architecture as the rules say', () => {
    for (const arch of Object.keys(AUDIT_ARCH) as Arch[]) {
      const names = syscallNames(arch);
      const rules = names.filter((_, i) => i % 3 !== 0)
        .filter((name, i, all) => all.findIndex((one) => syscallNumber(arch, one) === syscallNumber(arch, name)) === i)
        .map((syscall, i): Rule => ({ syscall, action: i % 7 === 0 ? userNotif() : i % 5 === 0 ? errno(i) : allow() }));
      const description: FilterDescription = { defaultAction: errno('ENOSYS'), architectures: [{ arch, rules }] };
      expectOracle(description, compileFilter(description, { layout }));
    }
  });

  it('judges several architectures in one program', () => {
    const description: FilterDescription = {
      defaultAction: allow(),
      badArchAction: errno('EXDEV'),
      architectures: (['i386', 'x86_64', 'x32', 'aarch64'] as const).map((arch, i) => ({
        arch, rules: [{ syscall: 'mount', action: errno(i + 1) }, { syscall: 'ptrace', action: killProcess() }],
      })),
    };
    expectOracle(description, compileFilter(description, { layout }));
  });

  it('stays right at every size, near and far beyond the reach of a conditional jump', () => {
    const random = new Random(1);
    for (const count of [0, 1, 2, 3, 62, 63, 64, 125, 126, 127, 128, 129, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259,
      260, 300, 509, 510, 511, 512, 513, 514, 515, 767, 1000, 1500, 1800]) {
      const numbers = Array.from({ length: count }, (_, i) => 2 * i);
      const rules = numbers.map((syscall): Rule => ({ syscall, action: errno(1 + random.below(count % 2 === 0 ? 2 : 300)) }));
      const description: FilterDescription = { defaultAction: allow(), architectures: [{ arch: 'x86_64', rules }] };
      const filter = compileFilter(description, { layout });
      expectOracle(description, filter, [...numbers, ...numbers.map((nr) => nr + 1), 0x3fffffff, 0x40000000, 0xffffffff]);
    }
  });

  it('carries jumps over argument blocks that are longer than a jump', () => {
    const when = (i: number) => [arg(i % 6).eq(BigInt(i) * 0x100000001n), arg((i + 1) % 6).maskedEq(0xf00000000fn, BigInt(i % 16))];
    for (const perCall of [1, 30, 31, 32, 62, 63, 64, 140]) {
      const rules = [5, 6, 9].flatMap((syscall) => Array.from({ length: perCall },
        (_, i): Rule => ({ syscall, when: when(i), action: errno(1 + (i + syscall) % 7) })));
      rules.push({ syscall: 7, action: userNotif() }, { syscall: 400, action: errno('EXDEV') });
      const description: FilterDescription = { defaultAction: allow(), architectures: [{ arch: 'x86_64', rules }] };
      const filter = compileFilter(description, { layout });
      expectOracle(description, filter);
      const random = new Random(perCall);
      for (const call of randomCalls(random, description, 400)) {
        expect(simulate(filter, call).value).toBe(judge(description, call));
      }
    }
  });

  it('agrees with the oracle on random descriptions and calls at their edges', () => {
    const random = new Random(layout === 'tree' ? 11 : 12);
    for (let i = 0; i < 400; i++) {
      const description = randomDescription(random);
      const filter = compileFilter(description, { layout });
      expect(validateProgram(filter)).toEqual([]);
      for (const call of randomCalls(random, description, 60)) {
        if (simulate(filter, call).value !== judge(description, call)) {
          expect.fail(`filter ${i} answers otherwise than its rules: ${String(simulate(filter, call).value)} for ${call.nr}`);
        }
      }
    }
  });
});

describe('compileFilter at the limit', () => {
  /** Two loads, arch and x32 tests, one test a number, and returns: sizes that grow one by one. */
  function sized(count: number, layout: 'tree' | 'linear'): FilterDescription {
    return { defaultAction: allow(), architectures: [{ arch: 'aarch64', rules: rulesOn(
      Array.from({ length: count }, (_, i) => 2 * i), layout === 'tree' ? errno(1) : errno(2)) }] };
  }

  it.each(['tree', 'linear'] as const)('takes 4096 instructions and refuses 4097 (%s)', (layout) => {
    const lengths = new Set<number>();
    let count = layout === 'tree' ? 4050 : 3900;
    let refused: unknown;
    for (; refused === undefined; count++) {
      try {
        const filter = compileFilter(sized(count, layout), { layout });
        lengths.add(filter.length);
        expect(validateProgram(filter)).toEqual([]);
        expect(filter.bytes.length).toBe(8 * filter.length);
        if (count % 31 === 0 || filter.length >= 4094) expectOracle(sized(count, layout), filter, [0, 1, 2, 3, 508, 510, 1000, 2 * count - 2, 2 * count - 1, 2 * count, 0xffffffff]);
      } catch (error) {
        refused = error;
      }
    }
    expect(Math.max(...lengths)).toBe(4096);
    expect(refused).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_TOO_LONG' });
    expect((refused as Error).message).toMatch(/409[78] .*4096/);
  });

  it('refuses twenty thousand rules on one call without running out of stack', () => {
    const rules = Array.from({ length: 20_000 }, (_, i): Rule => ({ syscall: 1, when: [arg(0).eq(i)], action: errno(1 + i % 2) }));
    expect(() => compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules }] }))
      .toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_TOO_LONG' }));
  });
});

describe('argument loads', () => {
  const steps = (filter: Filter, nr: number): number => simulate(filter, { nr, arch: 'x86_64' }).steps;
  const isArgumentLoad = ({ instructions }: Filter, pc: number): boolean => instructions[pc]!.code === 0x20 && instructions[pc]!.k >= 16;
  const loads = (filter: Filter): number => filter.instructions.filter((_, pc) => isArgumentLoad(filter, pc)).length;

  it('are on the way of no call whose verdict does not depend on arguments', () => {
    const random = new Random(3);
    for (let i = 0; i < 100; i++) {
      const description = randomDescription(random);
      const filter = compileFilter(description);
      const run = simulator(filter);
      let judged = 0;
      for (const { arch, rules } of description.architectures) {
        const conditional = new Set(rules.filter(({ when = [] }) => when.length > 0)
          .map(({ syscall }) => typeof syscall === 'string' ? syscallNumber(arch, syscall) : syscall));
        for (const nr of syscallNames(arch).map((name) => syscallNumber(arch, name)!).filter((one) => !conditional.has(one))) {
          const path: number[] = [];
          run([nr, AUDIT_ARCH[arch], ...Array<number>(14).fill(0)], 0, path);
          judged++;
          if (path.some((pc) => isArgumentLoad(filter, pc))) expect.fail(`filter ${i} loads an argument for ${arch} ${nr}`);
        }
      }
      expect(judged).toBeGreaterThan(100);
    }
  });

  it('disappear where all rules of a call come to the same', () => {
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules: [
      { syscall: 'read', when: [arg(0).eq(3)], action: allow() },
      { syscall: 'write', when: [arg(0).eq(3), arg(1).gt(7)], action: errno(1) }, { syscall: 'write', action: errno(1) },
    ] }] });
    expect(loads(filter)).toBe(0);
  });

  it('are shared by rules on the same argument', () => {
    const filter = compileFilter({ defaultAction: errno(1), architectures: [{ arch: 'x86_64', rules: [0, 8, 0x20000, 0x20008]
      .map((persona) => ({ syscall: 'personality', when: [arg(0).eq(persona)], action: allow() })) }] });
    expect(loads(filter)).toBe(2);
  });

  it('are two in number at most for a 32-bit view of two arguments', () => {
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules: [
      { syscall: 'socket', when: [arg32(0).eq(2), arg32(1).maskedEq(0xff, 3)], action: errno(1) },
      { syscall: 'socket', when: [arg32(0).eq(2), arg32(1).maskedEq(0xff, 2)], action: errno(2) },
    ] }] });
    expect(loads(filter)).toBe(2);
  });

  it('leave a tree that finds one of 360 allowed calls in few steps', () => {
    const allowed = syscallNames('x86_64').filter((_, i) => i % 9 !== 0);
    const filter = compileFilter({ defaultAction: errno(1), architectures: [{
      arch: 'x86_64', rules: allowed.map((syscall) => ({ syscall, action: allow() })) }] });
    expect(Math.max(...allowed.map((name) => steps(filter, syscallNumber('x86_64', name)!)))).toBeLessThanOrEqual(12);
  });
});

describe('rules on one call', () => {
  const verdict = (rules: Rule[], args: bigint[]) =>
    simulate(compileFilter({ defaultAction: log(), architectures: [{ arch: 'x86_64', rules }] }), { nr: 41, arch: 'x86_64', args }).action;

  it('decide in their order: a denial before a notification wins', () => {
    const deny: Rule = { syscall: 'socket', when: [arg32(0).eq(16)], action: errno('EAFNOSUPPORT') };
    const notify: Rule = { syscall: 'socket', when: [arg32(1).eq(3)], action: userNotif() };
    expect(verdict([deny, notify], [16n, 3n])).toEqual(errno('EAFNOSUPPORT'));
    expect(verdict([notify, deny], [16n, 3n])).toEqual(userNotif());
    expect(verdict([notify, deny], [2n, 1n])).toEqual(log());
  });

  it('end in the last, unconditional one', () => {
    const rules: Rule[] = [{ syscall: 'socket', when: [arg(0).eq(1)], action: allow() }, { syscall: 'socket', action: errno(97) }];
    expect(verdict(rules, [1n])).toEqual(allow());
    expect(verdict(rules, [2n])).toEqual(errno(97));
    expect(verdict(rules, [1n + (1n << 32n)])).toEqual(errno(97));
  });

  it('see upper bits with arg(), and ignore them with arg32()', () => {
    const [deny64, deny32] = [arg(1).eq(0x5412), arg32(1).eq(0x5412)].map((condition): Rule[] =>
      [{ syscall: 41, when: [condition], action: errno(1) }]);
    const dodge = [0n, 0x5412n | (1n << 32n)];
    expect(verdict(deny64!, dodge)).toEqual(log());
    expect(verdict(deny32!, dodge)).toEqual(errno(1));
  });
});

describe('x32', () => {
  const description = (more: object = {}): FilterDescription =>
    ({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules: [], ...more }] });

  it('is answered ENOSYS unless it is named', () => {
    const filter = compileFilter(description());
    for (const nr of [0x40000000, 0x40000001, 0x7fffffff, 0xffffffff, -1]) {
      expect(simulate(filter, { nr, arch: 'x86_64' }).action).toEqual(errno('ENOSYS'));
    }
    expect(simulate(filter, { nr: 0x3fffffff, arch: 'x86_64' }).action).toEqual(allow());
  });

  it('takes another action on request, and rules of its own when named', () => {
    expect(simulate(compileFilter(description({ x32Action: killProcess() })), { nr: 0x40000000, arch: 'x32' }).action).toEqual(killProcess());
    const filter = compileFilter({ defaultAction: errno(1), architectures: [
      { arch: 'x32', rules: [{ syscall: 'read', action: allow() }] }, { arch: 'x86_64', rules: [] }] });
    expect(simulate(filter, { nr: 0x40000000, arch: 'x86_64' }).action).toEqual(allow());
    expect(simulate(filter, { nr: 0, arch: 'x86_64' }).action).toEqual(errno(1));
  });
});
