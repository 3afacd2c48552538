/**
 * The running kernel judges: which programs it takes, and what it does to calls.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import {
  type Action, allow, arg, arg32, BPF_MAXINSNS, compileFilter, encodeInstructions, errno, type Filter, killProcess, killThread,
  log, nativeArch, programBytes, type Rule, simulate, syscallNumber, trace, trap, userNotif, validateProgram,
} from '../../src/index.js';
import { mutate, randomProgram } from '../mutate.js';
import { Random } from '../random.js';
import { randomDescription, randomValue } from '../random-description.js';
import { Installer } from './installer.js';

const installer = new Installer();
afterAll(() => installer[Symbol.dispose]());

const arch = ['x64', 'arm64', 'riscv64'].includes(process.arch) ? nativeArch(process.arch) : 'x86_64';
const getppid = syscallNumber(arch, 'getppid')!;
const filterOf = (...rules: Rule[]): Filter => compileFilter({ defaultAction: allow(), architectures: [{ arch, rules }] });

describe.skipIf(!installer.available)('the kernel [needs Linux with seccomp filters, and gcc]', () => {
  it('takes what compileFilter makes, up to 4096 instructions', () => {
    const random = new Random(31);
    const filters = Array.from({ length: 60 }, () => compileFilter(randomDescription(random)));
    const scattered = (count: number) => compileFilter({ defaultAction: allow(), architectures: [{
      arch: 'aarch64', rules: Array.from({ length: count }, (_, i) => ({ syscall: 2 * i, action: errno(1) })) }] }, { layout: 'linear' });
    let count = 4000;
    while (scattered(count).length < BPF_MAXINSNS) count++;
    filters.push(scattered(count));
    expect(filters.at(-1)!.length).toBe(BPF_MAXINSNS);
    expect(installer.verdicts(filters.map(programBytes)).every((verdict) => verdict === 0)).toBe(true);
  });

  it('takes exactly the programs in which the validator finds nothing', () => {
    const random = new Random(41);
    const bases = Array.from({ length: 40 }, () => compileFilter(randomDescription(random)).instructions);
    const programs = Array.from({ length: 3_000 }, (_, i) => {
      const base = i % 2 === 0 ? random.pick(bases).slice(-1 - random.below(60)) : randomProgram(random, 1 + random.below(30));
      return i % 5 === 0 ? base : mutate(random, base);
    });
    const tooLong = Array.from({ length: BPF_MAXINSNS + 1 }, () => ({ code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 }));
    programs.push(tooLong, tooLong.slice(1), []);

    const verdicts = installer.verdicts(programs.map(encodeInstructions));
    expect(verdicts).toHaveLength(programs.length);
    const accepted = verdicts.filter((verdict) => verdict === 0).length;
    expect(Math.min(accepted, programs.length - accepted)).toBeGreaterThan(300);
    for (const [i, program] of programs.entries()) {
      const problems = validateProgram(program);
      if ((problems.length === 0) !== (verdicts[i] === 0)) {
        expect.fail(`${JSON.stringify(program)}: the kernel says ${String(verdicts[i])}, the validator ${JSON.stringify(problems)}`);
      }
    }
    expect(new Set(verdicts)).toEqual(new Set([0, constants.errno.EINVAL]));
  });

  it('computes as the simulator does', () => {
    const random = new Random(51);
    const prologue = [{ code: 0x20, jt: 0, jf: 0, k: 0 }, { code: 0x15, jt: 1, jf: 0, k: getppid }, { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 }];
    // What comes out in the accumulator is seen as an errno.
    const epilogue = [{ code: 0x54, jt: 0, jf: 0, k: 0xfff }, { code: 0x44, jt: 0, jf: 0, k: 0x50000 }, { code: 0x16, jt: 0, jf: 0, k: 0 }];
    const seen = new Set<unknown>();
    let ran = 0;
    while (ran < 400) {
      const body = randomProgram(random, 3 + random.below(25)).slice(0, -1).filter(({ code }) => code !== 0x06 && code !== 0x16);
      const program = [...prologue, ...body, ...epilogue];
      if (validateProgram(program).length > 0) continue;
      ran++;
      const args = Array.from({ length: 6 }, () => randomValue(random));
      const { action } = simulate(program, { nr: getppid, arch, args });
      // The instruction pointer is the kernel's to know, so programs that read it are left out.
      if (body.some(({ code, k }) => code === 0x20 && (k === 8 || k === 12))) continue;
      const wanted = seenAs(action);
      const got = installer.run(encodeInstructions(program), getppid, args);
      if (got !== wanted) expect.fail(`${JSON.stringify(program)}: the kernel gives ${got}, the simulator ${wanted}`);
      seen.add(got);
    }
    expect(seen.size).toBeGreaterThan(30);
    expect(seen).toContain('SIGSYS'); // a division by X = 0
  });

  it.each<[string, Action, 'ok' | number | NodeJS.Signals]>([
    ['allows by ALLOW', allow(), 'ok'],
    ['allows by LOG', log(), 'ok'],
    ['fails by ERRNO(1)', errno(1), 1],
    ['fails by ERRNO(4095), the largest', errno(4095), 4095],
    ['returns 0 by ERRNO(0)', errno(0), 'ok'],
    ['fails with ENOSYS by TRACE without a tracer', trace(7), constants.errno.ENOSYS],
    ['fails with ENOSYS by USER_NOTIF without a listener', userNotif(), constants.errno.ENOSYS],
    ['sends SIGSYS by TRAP', trap(), 'SIGSYS'],
    ['sends SIGSYS by KILL_THREAD', killThread(), 'SIGSYS'],
    ['sends SIGSYS by KILL_PROCESS', killProcess(), 'SIGSYS'],
  ])('%s', (_, action, result) => {
    const filter = filterOf({ syscall: 'getppid', action });
    expect(installer.run(filter.bytes, getppid)).toBe(result);
    expect(installer.run(filter.bytes, syscallNumber(arch, 'getuid')!)).toBe('ok');
  });

  it('sees arguments as the conditions say', () => {
    const cases: [Rule['when'], bigint[], boolean][] = [
      [[arg(0).eq(5)], [5n], true], [[arg(0).eq(5)], [5n | 1n << 32n], false], [[arg32(0).eq(5)], [5n | 1n << 32n], true],
      [[arg(1).gt(0xffffffffn)], [0n, 1n << 32n], true], [[arg(1).gt(0xffffffffn)], [0n, 0xffffffffn], false],
      [[arg(5).signed.lt(0)], [0n, 0n, 0n, 0n, 0n, 0xffffffffffffffffn], true], [[arg(5).signed.lt(0)], [0n, 0n, 0n, 0n, 0n, 1n], false],
      [[arg(2).maskedEq(0xf0, 0x20), arg(3).ne(1)], [0n, 0n, 0x12fn, 2n], true], [[arg(2).maskedEq(0xf0, 0x20), arg(3).ne(1)], [0n, 0n, 0x12fn, 1n], false],
    ];
    for (const [when, args, denied] of cases) {
      const filter = filterOf({ syscall: 'getppid', when: when!, action: errno(77) });
      expect(installer.run(filter.bytes, getppid, args)).toBe(denied ? 77 : 'ok');
    }
  });

  it.skipIf(arch !== 'x86_64')('refuses x32 calls with ENOSYS, and with the action asked for', () => {
    expect(installer.run(filterOf().bytes, 0x40000000 + getppid)).toBe(constants.errno.ENOSYS);
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules: [], x32Action: errno(99) }] });
    expect(installer.run(filter.bytes, 0x40000000 + getppid)).toBe(99);
    expect(installer.run(filter.bytes, getppid)).toBe('ok');
  });

  it('kills a process of an architecture that is not named', () => {
    const foreign = arch === 'x86_64' ? 'aarch64' : 'x86_64';
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch: foreign, rules: [] }] });
    expect(installer.run(filter.bytes, getppid)).toBe('SIGSYS');
  });
});

/** What a program sees of an action, without tracer or listener. */
function seenAs(action: Action): 'ok' | number | NodeJS.Signals {
  switch (action.type) {
    case 'errno': return action.errno === 0 ? 'ok' : action.errno;
    case 'allow': case 'log': return 'ok';
    case 'trace': case 'userNotif': return constants.errno.ENOSYS;
    default: return 'SIGSYS';
  }
}

const bwrap = (filter: Filter, command: readonly string[]) => {
  const file = join(tmpdir(), `sandlock-bpf-${process.pid}.bpf`);
  writeFileSync(file, filter.bytes);
  const fd = openSync(file, 'r');
  try {
    return spawnSync('bwrap', ['--ro-bind', '/', '/', '--dev', '/dev', '--seccomp', '3', ...command], { stdio: ['ignore', 'pipe', 'pipe', fd], encoding: 'utf8' });
  } finally {
    closeSync(fd);
    unlinkSync(file);
  }
};
const bwrapWorks = process.platform === 'linux' && bwrap(filterOf(), ['true']).status === 0;

describe.skipIf(!bwrapWorks)('bubblewrap [needs bwrap and leave to make namespaces]', () => {
  it('runs a program under our bytes', () => {
    expect(bwrap(filterOf({ syscall: 'mkdirat', action: errno('EPERM') }), ['echo', 'hello']).stdout).toBe('hello\n');
  });

  it('denies what the filter denies', () => {
    const filter = filterOf({ syscall: 'uname', action: errno('EUCLEAN') });
    const { status, stderr } = bwrap(filter, ['uname']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/Structure needs cleaning/);
    expect(bwrap(filterOf(), ['uname']).status).toBe(0);
  });
});
