/**
 * The same profiles through libseccomp and through this package must judge every call alike.
 */
import { readFileSync } from 'node:fs';

import { afterAll, describe, expect, it } from 'vitest';

import {
  type Arch, AUDIT_ARCH, compileFilter, diff, type Disagreement, DOCKER_DEFAULT_CAPABILITIES, type FilterDescription, killThread,
  parseProgram, pathLengths, type Program, readProfile, simulate, simulator, syscallNames, syscallNumber, validateProgram,
} from '../src/index.js';
import { type Call, judge } from './oracle.js';
import { commandsFor, Libseccomp, programIn, scmpArch } from './peers/libseccomp.js';
import { profileLike } from './profile-like.js';
import { Random } from './random.js';
import { randomCalls } from './random-description.js';

const peer = new Libseccomp();
afterAll(() => peer[Symbol.dispose]());

const profile = (name: string): string => readFileSync(new URL(`data/${name}-default-seccomp.json`, import.meta.url), 'utf8');

describe.skipIf(!peer.available)('libseccomp [needs gcc and libseccomp-dev]', () => {
  it('gives the same numbers to the names it knows', () => {
    const names = (Object.keys(AUDIT_ARCH) as Arch[]).flatMap((arch) => syscallNames(arch).map((name) => ({ arch, name })));
    const answers = peer.ask(names.map(({ arch, name }) => `resolve ${scmpArch(arch).toString(16)} ${name}`));
    expect(answers).toHaveLength(names.length);
    const known = answers.map((answer, i) => ({ ...names[i]!, theirs: Number(answer.split(' ')[1]) }))
      // Below zero stands for "not here" and "not known": libseccomp is older than the headers.
      .filter(({ theirs }) => theirs >= 0);
    const different = known.filter(({ arch, name, theirs }) => syscallNumber(arch, name) !== theirs);
    expect(different).toEqual([]);
    for (const arch of Object.keys(AUDIT_ARCH) as Arch[]) {
      expect(known.filter((one) => one.arch === arch).length / syscallNames(arch).length).toBeGreaterThan(0.9);
    }
  });

  it.each([['docker', []], ['docker', DOCKER_DEFAULT_CAPABILITIES], ['docker', ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE']],
    ['podman', DOCKER_DEFAULT_CAPABILITIES], ['podman', ['CAP_SYS_ADMIN', 'CAP_AUDIT_WRITE']]] as const)(
    'answers as we do to the default profile of %s with %j', (name, capabilities) => {
      const { description } = readProfile(profile(name), { arch: 'x86_64', capabilities, kernel: '6.1' });
      const known = knownToThem(description);
      const theirs = programIn(peer.ask(commandsFor(known))[0]);
      const ours = compileFilter(known);
      expect(diff(ours, theirs).filter((one) => !explained(one))).toEqual([]);
      expect(disagreements(ours, theirs, randomCalls(new Random(5), known, 20_000))).toEqual([]);
    });

  it('executes at least twice as many instructions by default, and no fewer with its binary tree', () => {
    const { description } = readProfile(profile('docker'), { arch: 'x86_64', capabilities: DOCKER_DEFAULT_CAPABILITIES });
    const known = knownToThem(description);
    const lengths = (program: Program) => pathLengths(program, 'x86_64', { allowedOnly: true });
    const ours = lengths(compileFilter(known));
    const theirs = lengths(programIn(peer.ask(commandsFor(known))[0]));
    const tree = lengths(programIn(peer.ask(commandsFor(known, 'tree'))[0]));
    expect(Object.keys(ours.syscalls).sort()).toEqual(Object.keys(theirs.syscalls).sort());
    expect(ours.mean).toBeLessThanOrEqual(theirs.mean / 2);
    expect(ours.worst).toBeLessThanOrEqual(theirs.worst / 2);
    expect(ours.mean).toBeLessThanOrEqual(tree.mean);
    expect(ours.worst).toBeLessThanOrEqual(tree.worst);
  });

  it.each([['one rule a call', 'single', 1_400], ['several values of one argument', 'same', 1_000]] as const)(
    'answers as we do to random rule sets with %s, at every compared value and beside it', { timeout: 600_000 }, (_, shape, count) => {
      const random = new Random(count);
      const descriptions = Array.from({ length: count }, () => knownToThem(profileLike(random, shape)));
      const answers = peer.ask(descriptions.flatMap((description) => commandsFor(description, random.chance(2) ? 'tree' : 'priority')));
      expect(answers).toHaveLength(count);
      let rules = 0;
      const forgetful = new Set<number>();
      for (const [i, description] of descriptions.entries()) {
        const theirs = programIn(answers[i]);
        expect(validateProgram(theirs)).toEqual([]);
        const ours = compileFilter(description, { layout: random.chance(4) ? 'linear' : 'tree' });
        for (const different of disagreements(ours, theirs, randomCalls(random, description, 150))) {
          expect(simulate(ours, different.call).value).toBe(judge(description, different.call));
          if (!forgetsNumber(theirs, different.call)) expect.fail(`set ${i}: ${show(different)} ${show(description)}`);
          forgetful.add(i);
        }
        rules += description.architectures.reduce((sum, one) => sum + one.rules.length, 0);
      }
      expect(rules).toBeGreaterThan(10 * count);
      expect(forgetful.size).toBeLessThan(count / 100);
    });

  // What libseccomp 2.5 gets wrong. It merges the rules on one call into a tree of conditions. Where two of them
  // can hold at once, a call that fails further down the first may never come to the second, or counts as
  // having passed it; some sets it does not finish compiling. So here the rules, looked up one by one, judge both.
  it('is wrong where we are right, and only on calls with several rules', () => {
    const random = new Random(3);
    const wrong: Call[] = [];
    let finished = 0;
    for (let i = 0; i < 150; i++) {
      const description = knownToThem(profileLike(random, 'free'));
      const answer = peer.ask(commandsFor(description), 2_000)[0];
      const ours = compileFilter(description);
      const calls = randomCalls(random, description, 100);
      for (const call of calls) expect(simulate(ours, call).value).toBe(judge(description, call));
      if (answer === undefined) continue;
      finished++;
      for (const { call } of disagreements(ours, programIn(answer), calls)) {
        wrong.push(call);
        expect(rulesOn(description, call)).toBeGreaterThan(1);
      }
    }
    expect(finished).toBeGreaterThan(130);
    // Should a later libseccomp be right throughout, the test above can take these sets as well.
    expect(wrong.length).toBeGreaterThan(0);
  });
});

/**
 * What libseccomp 2.5 also gets wrong: where two architectures share a block, it may leave out the load of nr
 * for one of them and compare arch with syscall numbers.
 */
function forgetsNumber(theirs: Program, call: Call): boolean {
  const { path } = simulate(theirs, call);
  const program = parseProgram(theirs as Uint8Array);
  return !path.some((pc) => program[pc]!.code === 0x20 && program[pc]!.k === 0);
}

function rulesOn(description: FilterDescription, { nr, arch }: Call): number {
  const entry = description.architectures.find((one) => AUDIT_ARCH[one.arch] === arch
    && (one.arch === 'x32') === (arch === AUDIT_ARCH.x86_64 && nr >= 0x40000000));
  return entry?.rules.filter(({ syscall }) => syscallNumber(entry.arch, String(syscall)) === nr).length ?? 0;
}

/** The one difference: nr -1 is no x32 call for libseccomp. The kernel runs nothing for it either way. */
function explained({ numbers }: Disagreement): boolean {
  return numbers.length === 2 && numbers[0] === 0xffffffff;
}

/** The calls that the programs answer differently, and the answer of the second. Ours must be the oracle's. */
function disagreements(ours: Program, theirs: Program, calls: readonly Call[]): { call: Call; value: number }[] {
  const [runOurs, runTheirs] = [simulator(ours), simulator(theirs)];
  return calls.filter(({ nr }) => nr !== 0xffffffff).flatMap((call) => {
    const words = [call.nr, call.arch, 0, 0, ...(call.args ?? []).flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)])];
    const value = runTheirs(words);
    return runOurs(words) === value ? [] : [{ call, value }];
  });
}

/** The description without the names that this libseccomp is too old for, and its answers to foreign calls. */
function knownToThem(description: FilterDescription): FilterDescription {
  const x32 = description.architectures.some(({ arch }) => arch === 'x32') ? {} : { x32Action: killThread() };
  return {
    ...description,
    badArchAction: killThread(),
    architectures: description.architectures.map((entry) => ({
      ...entry,
      ...(entry.arch === 'x86_64' ? x32 : {}),
      rules: entry.rules.filter(({ syscall }) => {
        const theirs = theirNumber(entry.arch, String(syscall));
        // Numbers around -100 stand for calls that i386 has by socketcall and ipc as well.
        return theirs === syscallNumber(entry.arch, String(syscall)) || (theirs <= -100 && theirs > -300);
      }),
    })),
  };
}

const theirNumbers = new Map<string, number>();

function theirNumber(arch: Arch, name: string): number {
  if (theirNumbers.size === 0) {
    const all = (Object.keys(AUDIT_ARCH) as Arch[]).flatMap((one) => syscallNames(one).map((syscall) => [one, syscall] as const));
    const answers = peer.ask(all.map(([one, syscall]) => `resolve ${scmpArch(one).toString(16)} ${syscall}`));
    for (const [i, [one, syscall]] of all.entries()) theirNumbers.set(`${one} ${syscall}`, Number(answers[i]!.split(' ')[1]));
  }
  return theirNumbers.get(`${arch} ${name}`) ?? -1;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => typeof one === 'bigint' ? String(one) : one);
}
