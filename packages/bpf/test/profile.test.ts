import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import {
  allow, type Arch, arg, arg32, compileFilter, constantAllows, diff, DOCKER_DEFAULT_CAPABILITIES, errno, explain, type FilterDescription,
  killProcess, killThread, log, profileToJson, readProfile, type ReadProfileOptions, type Rule, simulate, syscallTables, trace, trap, userNotif, writeProfile,
} from '../src/index.js';
import { compileFilter as compileWith, readProfile as readWith } from '../src/core.js';
import { profileLike } from './profile-like.js';
import { Random } from './random.js';
import { thrown } from './thrown.js';

type Options = Omit<ReadProfileOptions, 'tables'>;

const read = (profile: unknown, options: Partial<Options> = {}) => readProfile(profile, { arch: 'x86_64', ...options });
const docker = readFileSync(new URL('data/docker-default-seccomp.json', import.meta.url), 'utf8');

describe('readProfile', () => {
  it('reads every action, with its data and its defaults', () => {
    const actions = { KILL: killThread(), KILL_THREAD: killThread(), KILL_PROCESS: killProcess(), TRAP: trap(), ERRNO: errno('EPERM'),
      TRACE: trace(1), ALLOW: allow(), LOG: log(), NOTIFY: userNotif() };
    for (const [name, action] of Object.entries(actions)) {
      const { description } = read({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, syscalls: [{ names: ['read'], action: `SCMP_ACT_${name}` }] });
      expect(description.defaultAction).toEqual(errno('ENOSYS'));
      expect(description.architectures).toEqual([{ arch: 'x86_64', rules: [{ syscall: 'read', when: [], action }] }]);
    }
    const { description } = read({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 22 },
      { names: ['write'], action: 'SCMP_ACT_TRACE', errnoRet: 7 }, { names: ['open'], action: 'SCMP_ACT_ERRNO', errno: 'ENOENT' }] });
    expect(description.architectures[0]!.rules.map(({ action }) => action)).toEqual([errno(22), trace(7), errno('ENOENT')]);
  });

  it('reads every comparison, with 64-bit values from text exactly', () => {
    const rule = (op: string, more = '') => read(`{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["read"], "action": "SCMP_ACT_KILL",
      "args": [{ "index": 1, "op": "SCMP_CMP_${op}", "value": 18446744073709551615${more} }] }] }`).description.architectures[0]!.rules[0]!.when;
    for (const [name, op] of [['NE', 'ne'], ['LT', 'lt'], ['LE', 'le'], ['EQ', 'eq'], ['GE', 'ge'], ['GT', 'gt']] as const) {
      expect(rule(name)).toEqual([{ index: 1, op, value: (1n << 64n) - 1n, width: 64 }]);
    }
    expect(rule('MASKED_EQ', ', "valueTwo": 9007199254740993')).toEqual([arg(1).maskedEq((1n << 64n) - 1n, 9007199254740993n)]);
    expect(rule('MASKED_EQ')).toEqual([arg(1).maskedEq((1n << 64n) - 1n, 0)]);
  });

  it('takes a whole runtime configuration, and the older form with name', () => {
    const seccomp = { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'], flags: ['SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [{ name: 'read', action: 'SCMP_ACT_ALLOW', args: null }] };
    const { description, flags } = read({ ociVersion: '1.0.2', linux: { seccomp } });
    expect(description.architectures.map(({ arch, rules }) => [arch, rules.length])).toEqual([['x86_64', 1], ['i386', 1]]);
    expect(flags).toEqual(['SECCOMP_FILTER_FLAG_LOG']);
    expect(read(seccomp).description).toEqual(description);
  });

  it('lets a rule with one argument twice hold if either condition does, as runtimes do', () => {
    const { description } = read({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 5, op: 'SCMP_CMP_EQ' }, { index: 0, value: 7, op: 'SCMP_CMP_EQ' }] }] });
    const filter = compileFilter(description);
    expect([5, 6, 7].map((value) => simulate(filter, { nr: 0, arch: 'x86_64', args: [value] }).action.type)).toEqual(['allow', 'errno', 'allow']);
  });

  it('lets a rule for all calls of a name outweigh those with conditions, and skips those with the default action', () => {
    const conditional = { names: ['read'], action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 5, op: 'SCMP_CMP_EQ' }] };
    const all = { names: ['read'], action: 'SCMP_ACT_ALLOW' };
    for (const syscalls of [[conditional, all], [all, conditional]]) {
      expect(read({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }).description.architectures[0]!.rules).toEqual([{ syscall: 'read', when: [], action: allow() }]);
    }
    expect(read({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [all, conditional] }).description.architectures[0]!.rules).toHaveLength(1);
  });

  it('compares the low halves where registers count as narrow, as libseccomp does', () => {
    const { description } = read({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'], syscalls: [{ names: ['socket'], action: 'SCMP_ACT_KILL',
      args: [{ index: 0, value: 40, op: 'SCMP_CMP_EQ' }] }] });
    expect(description.architectures.map(({ arch, rules }) => [arch, rules[0]!.when])).toEqual([['x86_64', [arg(0).eq(40)]], ['i386', [arg32(0).eq(40)]], ['x32', [arg32(0).eq(40)]]]);
  });

  it('says which names and architectures had no effect', () => {
    const { skipped } = read({ defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_PPC64LE'],
      syscalls: [{ names: ['read', 'no_such_call'], action: 'SCMP_ACT_ALLOW' }] });
    expect(skipped.map(({ path }) => path)).toEqual(['architectures[1]', 'syscalls[0].names[1]']);
  });

  it('refuses calls of an architecture whose table was not passed, and never drops its rules', () => {
    const profile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'], syscalls: [{ names: ['mount'], action: 'SCMP_ACT_KILL' }] };
    const { description, skipped } = readWith(profile, { arch: 'x86_64', tables: [syscallTables.x86_64] });
    expect(skipped.map(({ path }) => path)).toEqual(['architectures[0]', 'architectures[1]']);
    const filter = compileWith(description, { tables: [syscallTables.x86_64] });
    expect(simulate(filter, { nr: 165, arch: 'x86_64' }).action).toEqual(killThread());
    expect(simulate(filter, { nr: 21, arch: 'i386' }).action).toEqual(killThread());
    expect(simulate(filter, { nr: 0x40000000 + 165, arch: 'x32' }).action).toEqual(errno('ENOSYS'));
    expect(thrown(() => readWith(profile, { arch: 'aarch64', tables: [syscallTables.x86_64] }))).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARCH' });
  });

  it('drops bits of a masked value outside its mask, as libseccomp does', () => {
    const { description } = read({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 0xf0, valueTwo: 0x123, op: 'SCMP_CMP_MASKED_EQ' }] }] });
    expect(description.architectures[0]!.rules[0]!.when).toEqual([arg(0).maskedEq(0xf0, 0x20)]);
  });
});

describe("Docker's default profile", () => {
  const filterFor = (options: Partial<Options> = {}) => compileFilter(read(docker, { capabilities: DOCKER_DEFAULT_CAPABILITIES, kernel: '6.1', ...options }).description);
  const allows = (name: string, options: Partial<Options> = {}) => explain(filterFor(options), ['x86_64']).architectures[0]!
    .syscalls.find((one) => one.name === name)!.outcomes.map(({ action }) => action.type).sort();

  it('opens calls by capability, architecture and kernel', () => {
    expect(allows('mount')).toEqual(['errno']);
    expect(allows('mount', { capabilities: ['CAP_SYS_ADMIN'] })).toEqual(['allow']);
    expect(allows('mount', { capabilities: ['SYS_ADMIN'] })).toEqual(['allow']);
    expect(allows('clone')).toEqual(['allow', 'errno']);
    expect(allows('clone', { capabilities: ['CAP_SYS_ADMIN'] })).toEqual(['allow']);
    expect(allows('ptrace')).toEqual(['allow']);
    expect(allows('ptrace', { kernel: '4.7' })).toEqual(['errno']);
    expect(allows('ptrace', { kernel: '4.8' })).toEqual(['allow']);
    expect(allows('ptrace', { kernel: '3.19' })).toEqual(['errno']);
    expect(allows('arch_prctl')).toEqual(['allow']);
    expect(read(docker, { arch: 'aarch64' }).description.architectures.map(({ arch }) => arch)).toEqual(['aarch64', 'arm']);
    expect(read(docker, { arch: 'riscv64' }).description.architectures.map(({ arch }) => arch)).toEqual(['riscv64']);
  });

  it('answers clone3 with ENOSYS', () => {
    expect(simulate(filterFor(), { nr: 435, arch: 'x86_64' }).action).toEqual(errno('ENOSYS'));
  });

  it('keeps the calls that programs make all the time in the constant-allow cache', () => {
    const cached = constantAllows(filterFor(), 'x86_64');
    expect(cached).toEqual(expect.arrayContaining(['read', 'write', 'openat', 'close', 'futex', 'mmap', 'epoll_wait', 'recvmsg']));
    expect(cached).not.toContain('clone');
    expect(cached.length).toBeGreaterThan(300);
  });
});

describe('readProfile refuses, naming the place', () => {
  const profile = (change: object) => ({ defaultAction: 'SCMP_ACT_ERRNO', ...change });
  const rule = (change: object) => profile({ syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...change }] });
  const argument = (change: object) => rule({ args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ', ...change }] });
  it.each<[string, unknown, string | undefined]>([
    ['a list', [], undefined],
    ['a number', 5, undefined],
    ['no default action', {}, 'defaultAction'],
    ['an unknown action', profile({ defaultAction: 'SCMP_ACT_PANIC' }), 'defaultAction'],
    ['a property of Object as action', profile({ defaultAction: 'constructor' }), 'defaultAction'],
    ['an errno beyond 4095', profile({ defaultErrnoRet: 4096 }), 'defaultErrnoRet'],
    ['an errno below zero', rule({ action: 'SCMP_ACT_ERRNO', errnoRet: -1 }), 'syscalls[0].errnoRet'],
    ['syscalls that are no list', profile({ syscalls: {} }), 'syscalls'],
    ['a rule that is no object', profile({ syscalls: ['read'] }), 'syscalls[0]'],
    ['a name that is no string', rule({ names: ['read', 7] }), 'syscalls[0].names[1]'],
    ['a rule without names', rule({ names: [] }), 'syscalls[0].names'],
    ['a rule with name and names', rule({ name: 'write' }), 'syscalls[0].name'],
    ['a rule without action', rule({ action: undefined }), 'syscalls[0].action'],
    ['argument 6', argument({ index: 6 }), 'syscalls[0].args[0].index'],
    ['a value as text', argument({ value: '1' }), 'syscalls[0].args[0].value'],
    ['a value below zero', argument({ value: -1 }), 'syscalls[0].args[0].value'],
    ['a value that a double does not hold', argument({ value: 2 ** 60 }), 'syscalls[0].args[0].value'],
    ['a value beyond 64 bits', argument({ value: 1n << 64n }), 'syscalls[0].args[0].value'],
    ['an unknown comparison', argument({ op: 'SCMP_CMP_LIKE' }), 'syscalls[0].args[0].op'],
    ['an architecture of another kind', profile({ architectures: ['x86_64'] }), 'architectures[0]'],
    ['architectures and archMap', profile({ architectures: ['SCMP_ARCH_X86'], archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] }), 'archMap'],
    ['a kernel version that is none', rule({ includes: { minKernel: 'new' } }), 'syscalls[0].includes.minKernel'],
    ['capabilities that are no list', rule({ excludes: { caps: 'CAP_SYS_ADMIN' } }), 'syscalls[0].excludes.caps'],
    ['a place inside linux.seccomp', { linux: { seccomp: rule({ names: [1] }) } }, 'linux.seccomp.syscalls[0].names[0]'],
  ])('%s', (_, source, path) => {
    const error = thrown(() => read(source));
    expect(error).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_PROFILE', path });
    expect(() => read(argument({}))).not.toThrow();
  });

  it.each<[string, string, string]>([
    ['text that is no JSON', '{ "defaultAction": ', 'Line 1, column 20'],
    ['a trailing comma', '{\n  "defaultAction": "SCMP_ACT_ALLOW",\n}', 'Line 3, column 1'],
    ['a key written twice', '{ "defaultAction": "SCMP_ACT_ALLOW", "defaultAction": "SCMP_ACT_KILL" }', 'second time'],
    ['something behind the end', '{} {}', 'Line 1, column 4'],
    ['a number with a leading zero', '[01]', 'Line 1, column 3'],
    ['an endless nest', '['.repeat(100_000), 'nested too deeply'],
    ['nothing', '', 'Line 1, column 1'],
  ])('%s', (_, text, message) => {
    const error = thrown(() => read(text));
    expect(error.code).toBe('ERR_SANDLOCK_FILTER_PROFILE');
    expect(error.message).toContain(message);
  });
});

describe('writeProfile', () => {
  const written = (description: FilterDescription) => profileToJson(writeProfile(description));

  it('writes what reads back as the same filter', () => {
    const random = new Random(21);
    for (let i = 0; i < 150; i++) {
      const description = { ...profileLike(random, random.pick(['single', 'same', 'free'])), badArchAction: killThread() };
      const arch = description.architectures[0]!.arch;
      const again = readProfile(written(description), { arch }).description;
      expect(diff(compileFilter(description), compileFilter(again))).toEqual([]);
    }
  });

  it("writes Docker's default profile for one set of capabilities", () => {
    for (const arch of ['x86_64', 'aarch64', 'riscv64'] as Arch[]) {
      const { description } = readProfile(docker, { arch, capabilities: DOCKER_DEFAULT_CAPABILITIES });
      const again = readProfile(written(description), { arch });
      expect(diff(compileFilter(description), compileFilter(again.description))).toEqual([]);
    }
  });

  it('gathers names and keeps 64-bit values exact', () => {
    const condition = arg(0).eq((1n << 64n) - 1n);
    expect(JSON.parse(written({ defaultAction: errno('ENOSYS'), architectures: [{ arch: 'x86_64', rules: [
      { syscall: 'read', action: allow() }, { syscall: 1, action: allow() }, { syscall: 'personality', when: [arg32(0).eq(-1)], action: trace(9) }] }] }))).toEqual({
      defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, architectures: ['SCMP_ARCH_X86_64'], syscalls: [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
        { names: ['personality'], action: 'SCMP_ACT_TRACE', errnoRet: 9, args: [{ index: 0, value: 0xffffffff, valueTwo: 0xffffffff, op: 'SCMP_CMP_MASKED_EQ' }] }] });
    expect(written({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules: [{ syscall: 'read', when: [condition], action: killProcess() }] }] }))
      .toContain('"value": 18446744073709551615');
  });

  it.each<[string, Rule[], string]>([
    ['rules that depend on their order', [{ syscall: 'read', when: [arg(0).eq(1)], action: allow() }, { syscall: 'read', action: killProcess() }], 'rules[1]'],
    ['exceptions to a rule', [{ syscall: 'read', when: [arg(0).eq(1)], action: errno(1) }, { syscall: 'read', action: killProcess() }], 'rules[0]'],
    ['two conditions on one argument', [{ syscall: 'read', when: [arg(0).gt(1), arg(0).lt(9)], action: allow() }], 'rules[0].when'],
    ['an ordering of 32 bits', [{ syscall: 'read', when: [arg32(0).gt(1)], action: allow() }], 'rules[0].when[0]'],
    ['a signed ordering', [{ syscall: 'read', when: [arg(0).signed.lt(1)], action: allow() }], 'rules[0].when[0]'],
    ['a number without a name', [{ syscall: 9_999, action: allow() }], 'rules[0].syscall'],
    ['data of a trap', [{ syscall: 'read', action: trap(5) }], 'rules[0].action.data'],
  ])('refuses %s', (_, rules, path) => {
    expect(thrown(() => written({ defaultAction: errno(1), architectures: [{ arch: 'x86_64', rules }] })))
      .toMatchObject({ code: 'ERR_SANDLOCK_FILTER_PROFILE', path: `architectures[0].${path}` });
  });

  it('writes comparisons of 32 bits where readers look at no more, and refuses 64 there', () => {
    const on = (arch: Arch, condition: Rule['when']) => writeProfile({ defaultAction: errno(1), architectures: [{ arch, rules: [{ syscall: 'read', when: condition!, action: allow() }] }] }).syscalls[0]!.args;
    expect(on('i386', [arg32(0).gt(5)])).toEqual([{ index: 0, value: 5, op: 'SCMP_CMP_GT' }]);
    expect(on('arm', [arg(0).gt(5)])).toEqual([{ index: 0, value: 5, op: 'SCMP_CMP_GT' }]);
    for (const [arch, condition] of [['x32', arg(0).gt(5)], ['i386', arg(0).eq(1n << 32n)]] as const) {
      expect(thrown(() => on(arch, [condition]))).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_PROFILE', path: 'architectures[0].rules[0].when[0]' });
    }
  });

  it('refuses rules that differ between architectures', () => {
    expect(thrown(() => written({ defaultAction: errno(1), architectures: [{ arch: 'x86_64', rules: [{ syscall: 'read', action: allow() }] }, { arch: 'i386', rules: [] }] })))
      .toMatchObject({ code: 'ERR_SANDLOCK_FILTER_PROFILE', path: 'architectures[1].rules' });
  });
});
