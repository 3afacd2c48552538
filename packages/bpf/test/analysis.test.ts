import { describe, expect, it } from 'vitest';

import {
  allow, type Arch, arg, arg32, AUDIT_ARCH, compileFilter, constantAllows, diff, errno, explain, type Filter, type FilterDescription,
  type Instruction, isConstantAllow, killProcess, pathLengths, type Rule, showConditions, simulate, simulator, syscallNames, syscallNumber,
} from '../src/index.js';
import { explore } from '../src/analysis/explore.js';
import { anyWord, complement, contains, member, restrict } from '../src/analysis/word-set.js';
import { judge } from './oracle.js';
import { Random } from './random.js';
import { randomCalls, randomDescription } from './random-description.js';

const filterOf = (...rules: Rule[]): Filter => compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules }] });
const onX86 = (filter: Filter) => explain(filter, ['x86_64']).architectures[0]!;
const verdict = (filter: Filter, name: string) => onX86(filter).syscalls.find((one) => one.name === name)!;

describe('word sets', () => {
  it('are empty exactly when no word is left', () => {
    const random = new Random(8);
    let empty = 0;
    for (let i = 0; i < 3_000; i++) {
      // Eight bits of the word are free, so that all words can be tried.
      let set = restrict(anyWord, 0xffffff00, [0, 0]);
      const asked: [number, number[]][] = [];
      for (let j = random.below(5); j >= 0; j--) {
        const mask = random.chance(3) ? 0xffffffff : random.below(256);
        const [a, b] = [random.below(256), random.below(256)].map((one) => (one & mask) >>> 0);
        const ranges = [Math.min(a!, b!), Math.max(a!, b!)];
        asked.push([mask, ranges]);
        if (set !== undefined) set = restrict(set, mask, ranges);
      }
      const words = Array.from({ length: 256 }, (_, word) => word)
        .filter((word) => asked.every(([mask, [from, to]]) => (word & mask) >>> 0 >= from! && (word & mask) >>> 0 <= to!));
      expect(set !== undefined).toBe(words.length > 0);
      if (set === undefined) {
        empty++;
        continue;
      }
      expect(words).toContain(member(set));
      expect(Array.from({ length: 256 }, (_, word) => word).filter((word) => contains(set, word))).toEqual(words);
    }
    expect(empty).toBeGreaterThan(200);
  });

  it('complement twice to themselves, at both ends', () => {
    for (const ranges of [[], [0, 0xffffffff], [0, 0], [0xffffffff, 0xffffffff], [1, 5, 7, 0xfffffffe]]) {
      expect(complement(complement(ranges))).toEqual(ranges);
    }
  });
});

describe('explore', () => {
  it('finds for each call the one way it goes, with its value and length', () => {
    const random = new Random(9);
    for (let i = 0; i < 60; i++) {
      const description = randomDescription(random, ['x86_64', 'x32', 'i386']);
      const filter = compileFilter(description);
      const ways = explore(filter);
      for (const call of randomCalls(random, description, 40)) {
        const words = [call.nr, call.arch, 0, 0, ...call.args!.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)])];
        const its = ways.filter((way) => way.words.every((set, j) => contains(set, words[j]!)));
        const { value, steps } = simulate(filter, call);
        expect(its.map((way) => [way.value, way.steps])).toEqual([[value, steps]]);
      }
    }
  });

  it('refuses to guess at computed values', () => {
    const program: Instruction[] = [{ code: 0x20, jt: 0, jf: 0, k: 16 }, { code: 0x04, jt: 0, jf: 0, k: 1 },
      { code: 0x15, jt: 0, jf: 1, k: 5 }, { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 }, { code: 0x06, jt: 0, jf: 0, k: 0 }];
    expect(() => explore(program)).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_ANALYSIS', path: 'instructions[2]' }));
  });

  it('follows constants, memory and masks', () => {
    const program: Instruction[] = [{ code: 0x00, jt: 0, jf: 0, k: 6 }, { code: 0x02, jt: 0, jf: 0, k: 3 }, { code: 0x20, jt: 0, jf: 0, k: 16 },
      { code: 0x54, jt: 0, jf: 0, k: 0xf }, { code: 0x61, jt: 0, jf: 0, k: 3 }, { code: 0x1d, jt: 0, jf: 1, k: 0 },
      { code: 0x06, jt: 0, jf: 0, k: 0x50001 }, { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 }];
    const ways = explore(program);
    expect(ways).toHaveLength(2);
    const denied = ways.find(({ value }) => value === 0x50001)!;
    expect(contains(denied.words[4]!, 0x16)).toBe(true);
    expect(contains(denied.words[4]!, 0x17)).toBe(false);
  });
});

describe('explain', () => {
  it('tells constant verdicts from those that depend on arguments', () => {
    const filter = filterOf({ syscall: 'mount', action: errno('EPERM') },
      { syscall: 'socket', when: [arg32(0).eq(16), arg32(1).maskedEq(0xff, 3)], action: errno('EAFNOSUPPORT') });
    expect(verdict(filter, 'read')).toMatchObject({ constant: true, cached: true, args: [], outcomes: [{ action: allow(), cases: [[]] }] });
    expect(verdict(filter, 'mount')).toMatchObject({ constant: true, cached: false, outcomes: [{ action: errno('EPERM') }] });
    const socket = verdict(filter, 'socket');
    expect(socket).toMatchObject({ constant: false, cached: false, args: [0, 1] });
    const denied = socket.outcomes.find(({ action }) => action.type === 'errno')!;
    expect(denied.cases.map(showConditions)).toEqual(['args[0].low == 0x10 && (args[1].low & 0xff) == 3']);
    const allowed = socket.outcomes.find(({ action }) => action.type === 'allow')!;
    expect(allowed.cases.map(showConditions).sort()).toEqual(['args[0].low != 0x10', 'args[0].low == 0x10 && (args[1].low & 0xff) != 3']);
  });

  it('tells what becomes of unnamed numbers and foreign architectures', () => {
    const filter = filterOf({ syscall: 'mount', action: errno('EPERM') }, { syscall: 100_000, action: errno('E2BIG') });
    const { otherNumbers } = onX86(filter);
    expect(otherNumbers.find(({ value }) => value === 0x50007)).toMatchObject({ action: errno('E2BIG'), ranges: [100_000, 100_000] });
    expect(otherNumbers.find(({ action }) => action.type === 'allow')!.ranges.at(-1)).toBe(0x3fffffff);
    expect(explain(filter, ['x86_64']).otherArchitectures).toMatchObject({ constant: true, outcomes: [{ action: killProcess() }] });
    expect(explain(filter, ['i386']).otherArchitectures.constant).toBe(false);
    const x32 = explain(filter, ['x32']).architectures[0]!;
    expect(x32.syscalls.every(({ constant, outcomes }) => constant && outcomes[0]!.value === 0x50026)).toBe(true);
    expect(x32.otherNumbers.map(({ value }) => value)).toEqual([0x50026]);
  });

  it('agrees with the rules on random filters', () => {
    const random = new Random(10);
    for (let i = 0; i < 20; i++) {
      const description = randomDescription(random, ['x86_64', 'aarch64']);
      const filter = compileFilter(description);
      for (const { arch, syscalls } of explain(filter, ['x86_64', 'aarch64']).architectures) {
        for (const { nr, constant, outcomes, cached } of syscalls) {
          const calls = Array.from({ length: 5 }, () => ({ nr, arch: AUDIT_ARCH[arch], args: Array.from({ length: 6 }, () => BigInt(random.below(20))) }));
          for (const call of calls) expect(outcomes.map(({ value }) => value)).toContain(judge(description, call));
          expect(cached).toBe(constant && outcomes[0]!.value === 0x7fff0000);
        }
      }
    }
  });
});

describe('the constant-allow cache', () => {
  it('covers exactly the calls whose verdict is ALLOW without arguments', () => {
    const filter = filterOf({ syscall: 'read', when: [arg(0).eq(3)], action: errno(1) }, { syscall: 'write', action: errno(1) });
    const cached = constantAllows(filter, 'x86_64');
    expect(cached).toEqual(syscallNames('x86_64').filter((name) => name !== 'read' && name !== 'write'));
    expect(isConstantAllow(filter, 'x86_64', syscallNumber('x86_64', 'read')!)).toBe(false);
    expect(isConstantAllow(filter, 'x86_64', syscallNumber('x86_64', 'openat')!)).toBe(true);
    expect(constantAllows(filter, 'x32')).toEqual([]);
    expect(constantAllows(filter, 'aarch64')).toEqual([]);
  });

  it('is lost by a program that loads an argument first, even if it allows everything', () => {
    const loads: Instruction[] = [{ code: 0x20, jt: 0, jf: 0, k: 16 }, { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 }];
    expect(isConstantAllow(loads, 'x86_64', 0)).toBe(false);
    expect(isConstantAllow(loads.slice(1), 'x86_64', 0)).toBe(true);
    // ALLOW with data is not the plain ALLOW that the kernel looks for.
    expect(isConstantAllow([{ code: 0x06, jt: 0, jf: 0, k: 0x7fff0001 }], 'x86_64', 0)).toBe(false);
  });
});

describe('diff', () => {
  const base: Rule[] = [{ syscall: 'mount', action: errno('EPERM') }, { syscall: 'ioctl', when: [arg32(1).eq(0x5412)], action: errno('EPERM') }];

  it('proves the layouts of a filter equal', () => {
    const random = new Random(12);
    for (let i = 0; i < 25; i++) {
      const description = randomDescription(random, ['x86_64', 'i386', 'x32', 'aarch64']);
      expect(diff(compileFilter(description), compileFilter(description, { layout: 'linear' }))).toEqual([]);
    }
  });

  it('names the call, the condition and a witness', () => {
    const other = base.with(1, { syscall: 'ioctl', when: [arg(1).eq(0x5412)], action: errno('EPERM') });
    const found = diff(filterOf(...base), filterOf(...other));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ arch: 'x86_64', syscalls: ['ioctl'], a: { action: errno('EPERM') }, b: { action: allow() } });
    expect(showConditions(found[0]!.conditions)).toBe('args[1].low == 0x5412 && args[1].high != 0');
    const { witness } = found[0]!;
    expect(simulate(filterOf(...base), witness).action).toEqual(errno('EPERM'));
    expect(simulate(filterOf(...other), witness).action).toEqual(allow());
  });

  it('puts calls that differ alike into one entry, and finds unnamed numbers and architectures', () => {
    const found = diff(filterOf(), filterOf({ syscall: 'read', action: errno(1) }, { syscall: 'write', action: errno(1) }, { syscall: 5000, action: errno(1) }));
    expect(found).toMatchObject([{ arch: 'x86_64', syscalls: ['read', 'write'], numbers: [0, 1, 5000, 5000], conditions: [] }]);
    const arches = diff(filterOf(), compileFilter({ defaultAction: allow(), badArchAction: errno(9), architectures: [{ arch: 'x86_64', rules: [] }] }));
    expect(arches.map(({ arch }) => arch).sort()).toEqual(['aarch64', 'arm', 'i386', 'riscv64', undefined]);
  });

  it('finds every single changed rule, with a witness that shows it', () => {
    const random = new Random(13);
    let changed = 0;
    for (let i = 0; i < 60; i++) {
      const description = randomDescription(random, ['x86_64']);
      const rules = description.architectures[0]!.rules;
      if (rules.length === 0) continue;
      const at = random.below(rules.length);
      const other: FilterDescription = { ...description, architectures: [{ ...description.architectures[0]!, rules: rules.with(at, { ...rules[at]!, action: errno(111) }) }] };
      const [a, b] = [compileFilter(description), compileFilter(other)];
      const found = diff(a, b);
      const calls = randomCalls(random, description, 200);
      const [runA, runB] = [simulator(a), simulator(b)];
      const shows = calls.some((call) => judge(description, call) !== judge(other, call));
      if (shows) expect(found.length).toBeGreaterThan(0);
      for (const { witness } of found) {
        changed++;
        const words = [witness.nr, Number(witness.arch), 0, 0, ...witness.args.flatMap((value) => [Number(BigInt(value) & 0xffffffffn), Number(BigInt(value) >> 32n)])];
        expect(runA(words)).not.toBe(runB(words));
        expect(runA(words)).toBe(judge(description, { nr: witness.nr, arch: Number(witness.arch), args: witness.args.map(BigInt) }));
      }
    }
    expect(changed).toBeGreaterThan(30);
  });
});

describe('pathLengths', () => {
  it('are those that the simulator counts', () => {
    const filter = filterOf({ syscall: 'mount', action: errno(1) }, { syscall: 'personality', when: [arg(0).eq(8)], action: errno(1) });
    for (const arch of ['x86_64', 'i386'] as Arch[]) {
      const lengths = pathLengths(filter, arch);
      for (const name of ['read', 'mount']) {
        expect(lengths.syscalls[name]).toBe(simulate(filter, { nr: syscallNumber(arch, name)!, arch }).steps);
      }
      expect(lengths.worst).toBe(Math.max(...Object.values(lengths.syscalls)));
    }
    const allowed = pathLengths(filter, 'x86_64', { allowedOnly: true }).syscalls;
    expect(allowed['mount']).toBeUndefined();
    expect(allowed['personality']).toBe(simulate(filter, { nr: 135, arch: 'x86_64', args: [9n] }).steps);
  });
});
