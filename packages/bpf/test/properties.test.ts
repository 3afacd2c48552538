/** What holds of every program, whatever it was made from. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type Action, allow, type Arch, arg, type ArgCondition, arg32, AUDIT_ARCH, compileFilter, conditionHolds, disassemble, encodeAction, errno, FilterError,
  type FilterDescription, type Instruction, killProcess, killThread, log, parseProgram, readProfile, type Rule, simulate, simulator, syscallNames, syscallNumber,
  trace, trap, userNotif, validateProgram,
} from '../src/index.js';
import { parseJson } from '../src/profile/json.js';
import { judge } from './oracle.js';
import { mutate } from './mutate.js';
import { Random } from './random.js';

// The same cases in every run; set another seed to search further.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_260) });

const word64 = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(0n, 1n, 0xffffffffn, 1n << 32n, 1n << 63n, (1n << 64n) - 1n), fc.bigInt({ min: 0n, max: 9n }));
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom(allow(), log(), userNotif(), killThread(), killProcess()),
  fc.integer({ min: 0, max: 4095 }).map((number) => errno(number)),
  fc.integer({ min: 0, max: 65535 }).chain((data) => fc.constantFrom(trap(data), trace(data))));
const condition: fc.Arbitrary<ArgCondition> = fc.record({
  index: fc.integer({ min: 0, max: 5 }), width: fc.constantFrom(32 as const, 64 as const), value: word64, mask: word64, signed: fc.boolean(),
  op: fc.constantFrom('eq' as const, 'ne' as const, 'lt' as const, 'le' as const, 'gt' as const, 'ge' as const, 'maskedEq' as const),
}).map(({ index, width, value, mask, signed, op }) => {
  const on = (width === 64 ? arg : arg32)(index);
  const cut = BigInt.asUintN(width, value);
  if (op === 'maskedEq') return on.maskedEq(BigInt.asUintN(width, mask), cut & mask);
  return signed ? on.signed[op](BigInt.asIntN(width, value)) : on[op](cut);
});
const ruleFor = (arch: Arch): fc.Arbitrary<Rule> => fc.record({
  syscall: fc.constantFrom(...syscallNames(arch).slice(0, 12)), when: fc.array(condition, { minLength: 1, maxLength: 3 }), action });
const description: fc.Arbitrary<FilterDescription> = fc.record({
  defaultAction: action,
  badArchAction: action,
  architectures: fc.uniqueArray(fc.constantFrom<Arch>('x86_64', 'x32', 'i386', 'aarch64', 'arm', 'riscv64'), { minLength: 1, maxLength: 3 })
    .chain((arches) => fc.tuple(...arches.map((arch) => fc.record({ arch: fc.constant(arch), rules: fc.array(ruleFor(arch), { maxLength: 12 }) })))),
});
const args = fc.array(word64, { minLength: 6, maxLength: 6 });
const filterAndCall = fc.tuple(description, fc.nat(), args, fc.boolean());

describe('every compiled filter', () => {
  it('answers as its rules say', () => {
    fc.assert(fc.property(filterAndCall, ([what, pick, values, linear]) => {
      const filter = compileFilter(what, { layout: linear ? 'linear' : 'tree' });
      const { arch, rules } = what.architectures[pick % what.architectures.length]!;
      const rule = rules[pick % Math.max(1, rules.length)];
      const nr = rule === undefined ? pick : syscallNumber(arch, String(rule.syscall))!;
      // Some arguments are the compared values themselves.
      const near = values.map((value, i) => {
        const compared = rule?.when?.find(({ index }) => index === i);
        return compared === undefined || pick % 3 === 0 ? value : BigInt.asUintN(64, compared.value + BigInt(pick % 3 - 1));
      });
      const call = { nr, arch: AUDIT_ARCH[arch], args: near };
      expect(simulate(filter, call).value).toBe(judge(what, call));
    }), { numRuns: 2_000 });
  });

  it('is taken by the validator, ends every path in a return, and wraps no jump', () => {
    fc.assert(fc.property(description, (what) => {
      const { instructions, bytes, length } = compileFilter(what);
      expect(validateProgram(instructions)).toEqual([]);
      expect([bytes.length, parseProgram(bytes)]).toEqual([8 * length, instructions]);
      // Forward jumps inside the program, from every instruction that can be reached: so each path ends, in a return.
      const reached = new Set([0]);
      for (const { index, targets, instruction } of disassemble(bytes)) {
        if (!reached.has(index)) continue;
        expect(targets.every((target) => target > index && target < length)).toBe(true);
        expect(targets.length === 0).toBe(instruction.code === 0x06);
        for (const target of targets) reached.add(target);
      }
      expect(reached.size).toBe(length); // and nothing in it is dead
    }), { numRuns: 400 });
  });
});

describe('every program that the validator takes', () => {
  it('runs to a return, and the path is the one that the disassembler shows', () => {
    fc.assert(fc.property(description, fc.integer(), args, (what, seed, values) => {
      const program: Instruction[] = mutate(new Random(seed), compileFilter(what).instructions);
      if (validateProgram(program).length > 0) return;
      const { path, value, steps } = simulate(program, { nr: 3, arch: 'x86_64', args: values });
      const lines = disassemble(program);
      expect(steps).toBe(path.length);
      expect(path[0]).toBe(0);
      for (const [i, index] of path.entries()) {
        const next = path[i + 1];
        if (next !== undefined) expect(lines[index]!.targets).toContain(next);
      }
      const last = program[path.at(-1)!]!;
      expect([0x06, 0x16, 0x3c]).toContain(last.code);
      if (last.code === 0x06) expect(value).toBe(last.k);
    }), { numRuns: 1_000 });
  });
});

describe('conditions', () => {
  it('hold or fail together with their opposites', () => {
    const opposites = { eq: 'ne', ne: 'eq', lt: 'ge', ge: 'lt', gt: 'le', le: 'gt' } as const;
    fc.assert(fc.property(condition, args, (one, values) => {
      if (one.op === 'maskedEq') return;
      expect(conditionHolds({ ...one, op: opposites[one.op] }, values)).toBe(!conditionHolds(one, values));
    }), { numRuns: 2_000 });
  });
});

describe('bad input of any shape', () => {
  it('ends in a FilterError or a filter, never in another error', () => {
    const anything = fc.anything({ withBigInt: true, withMap: true });
    const shaped = fc.record({ defaultAction: fc.oneof(action, anything), badArchAction: fc.option(fc.oneof(action, anything), { nil: undefined }),
      architectures: fc.oneof(anything, fc.array(fc.oneof(anything, fc.record({ arch: fc.oneof(fc.constant('x86_64'), anything),
        rules: fc.oneof(anything, fc.array(fc.oneof(anything, fc.record({ syscall: fc.oneof(fc.constant('read'), fc.integer(), anything),
          when: fc.oneof(anything, fc.array(fc.oneof(condition, anything))), action: fc.oneof(action, anything) })))) })))) });
    fc.assert(fc.property(shaped, (what) => {
      try {
        expect(validateProgram(compileFilter(what as FilterDescription))).toEqual([]);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
      }
    }), { numRuns: 3_000 });
  });

  it('of profiles likewise, from objects and from text', () => {
    const anything = fc.anything({ withBigInt: true });
    const shaped = fc.record({ defaultAction: fc.oneof(fc.constant('SCMP_ACT_ERRNO'), anything), architectures: anything, archMap: anything,
      syscalls: fc.oneof(anything, fc.array(fc.record({ names: fc.oneof(fc.constant(['read']), anything), action: fc.oneof(fc.constant('SCMP_ACT_ALLOW'), anything),
        includes: anything, excludes: anything, args: fc.oneof(anything, fc.array(anything)) }, { requiredKeys: [] }))) }, { requiredKeys: [] });
    fc.assert(fc.property(fc.oneof(anything, shaped, fc.string(), fc.json()), (what) => {
      try {
        readProfile(what, { arch: 'x86_64' });
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
      }
    }), { numRuns: 3_000 });
  });

  it('of bytes likewise', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const run = simulator(bytes);
        expect(run(new Uint32Array(16))).toBeTypeOf('number');
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
      }
    }), { numRuns: 2_000 });
  });
});

/** What JSON.parse would have made of it: integers that a double does not hold come as bigints here. */
function asDoubles(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(asDoubles);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, asDoubles(one)]));
}

describe('parseJson', () => {
  it('reads what JSON.stringify writes, and integers of any size', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(asDoubles(parseJson(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
    }), { numRuns: 1_000 });
    fc.assert(fc.property(word64, (value) => {
      expect(BigInt(parseJson(String(value)) as bigint)).toBe(value);
    }));
  });

  it('refuses what JSON.parse refuses', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json().map((text) => text.slice(0, -1)), fc.json().map((text) => `${text},`)), (text) => {
      let theirs = true;
      try {
        JSON.parse(text);
      } catch {
        theirs = false;
      }
      if (!theirs) expect(() => parseJson(text)).toThrow(FilterError);
      else expect(() => parseJson(text)).not.toThrow();
    }), { numRuns: 2_000 });
  });
});

it('every action survives encoding', () => {
  fc.assert(fc.property(action, (one) => {
    const filter = compileFilter({ defaultAction: one, architectures: [{ arch: 'x86_64', rules: [] }] });
    expect(simulate(filter, { nr: 0, arch: 'x86_64' })).toMatchObject({ action: one, value: encodeAction(one) });
  }));
});
