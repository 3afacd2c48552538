import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import {
  allow, archOf, arg, AUDIT_ARCH, compileFilter, disassemble, encodeInstructions, errno, errnoName, errnoNumber, explain, formatProgram, type Instruction,
  killProcess, parseProgram, programBytes, programToC, seccompDataWords, simulate, sockFprog, syscallName, syscallNames, syscallNumber, syscallTables,
  trace, trap, validateProgram,
} from '../src/index.js';
import { numberIn } from '../src/tables/lookup.js';

const filter = compileFilter({ defaultAction: allow(), architectures: [
  { arch: 'x86_64', rules: [{ syscall: 'openat', when: [arg(2).maskedEq(0x43, 0x41)], action: errno('EROFS') }, { syscall: 'ptrace', action: killProcess() }] },
  { arch: 'aarch64', rules: [{ syscall: 'openat', action: trace(3) }] }] });

describe('disassemble', () => {
  it('prints a program with names, actions and labels', () => {
    const text = formatProgram(filter);
    for (const line of [/ld {3}arch$/m, /jeq {2}x86_64 \(0xc000003e\) {2}-> L\d+, else L\d+$/m, /(jeq|jge) {2}openat \(257\)/, /jeq {2}openat \(56\)/,
      /ld {3}args\[2\]\.low$/m, /and {2}0x43$/m, /jeq {2}65 {2}->/, /ret {2}ERRNO\(EROFS\)$/m, /ret {2}KILL_PROCESS$/m, /ret {2}TRACE\(3\)$/m,
      /ret {2}ERRNO\(ENOSYS\)$/m]) expect(text).toMatch(line);
    expect(text.split('\n')).toHaveLength(filter.length + 1);
  });

  it('gives labels to all targets and only to them', () => {
    const lines = disassemble(filter);
    const jumped = new Set(lines.filter(({ text }) => text.includes('->')).flatMap(({ targets }) => targets));
    for (const { index, label } of lines) expect(label).toBe(jumped.has(index) ? `L${index}` : undefined);
  });

  it('names nothing that is not the syscall number', () => {
    const program: Instruction[] = [{ code: 0x20, jt: 0, jf: 0, k: 16 }, { code: 0x15, jt: 0, jf: 0, k: 2 }, { code: 0x06, jt: 0, jf: 0, k: 0 }];
    expect(formatProgram(program)).toContain('jeq  2  -> L2, else L2');
    // Two architectures lead to one comparison: 2 is open on one and fork on the other.
    const shared: Instruction[] = [{ code: 0x20, jt: 0, jf: 0, k: 4 }, { code: 0x15, jt: 1, jf: 0, k: AUDIT_ARCH.x86_64 },
      { code: 0x15, jt: 0, jf: 2, k: AUDIT_ARCH.i386 }, { code: 0x20, jt: 0, jf: 0, k: 0 }, { code: 0x15, jt: 0, jf: 0, k: 2 }, { code: 0x06, jt: 0, jf: 0, k: 0 }];
    expect(formatProgram(shared)).toContain('jeq  2  ->');
  });

  it('shows also what the kernel would refuse', () => {
    expect(formatProgram([{ code: 0x28, jt: 1, jf: 2, k: 3 }, { code: 0x05, jt: 0, jf: 0, k: 99 }])).toMatch(/0x28 jt 1 jf 2 k 0x3 {2}\(no opcode of seccomp\)[^]*ja {3}-> L101/);
  });

  it('has a text for every operation', () => {
    const codes = [0x80, 0x81, 0x00, 0x01, 0x60, 0x61, 0x02, 0x03, 0x07, 0x87, 0x84, 0x04, 0x0c, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0xa4, 0xac, 0x1d, 0x16];
    const texts = disassemble(codes.map((code) => ({ code, jt: 0, jf: 0, k: 1 }))).map(({ text }) => text);
    expect(texts.filter((text) => text.includes('no opcode'))).toEqual([]);
    expect(texts).toContain('add  x');
    expect(texts).toContain('ret  a');
  });
});

describe('bytes', () => {
  it('are eight an instruction, little endian', () => {
    expect([...encodeInstructions([{ code: 0x15, jt: 1, jf: 2, k: 0xc000003e }])]).toEqual([0x15, 0, 1, 2, 0x3e, 0, 0, 0xc0]);
  });

  it('come back from parseProgram, also from the middle of a buffer', () => {
    const padded = new Uint8Array(filter.bytes.length + 3);
    padded.set(filter.bytes, 3);
    expect(parseProgram(padded.subarray(3))).toEqual(filter.instructions);
  });

  it.each([[new Uint8Array(0)], [new Uint8Array(7)], [new Uint8Array(9)], [filter.bytes.subarray(0, -1)]])('are refused when truncated', (bytes) => {
    expect(() => parseProgram(bytes)).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_BYTES' }));
  });

  it.each([{ jt: 256 }, { jf: -1 }, { k: 2 ** 32 }, { code: 65536 }, { k: 0.5 }])('never wrap a field: %j', (field) => {
    expect(() => encodeInstructions([{ code: 0x15, jt: 0, jf: 0, k: 0, ...field }])).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_INVALID' }));
  });
});

describe('a program', () => {
  it.each([[null], [undefined], [7], ['bytes'], [{}], [[null]], [{ instructions: 5 }]])('is not %j', (nothing) => {
    for (const use of [validateProgram, disassemble, programBytes, explain]) {
      expect(() => use(nothing as unknown as Uint8Array)).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_DESCRIPTION' }));
    }
  });

  it('may be bytes of another realm', () => {
    const foreign = runInNewContext(`Uint8Array.of(${[...filter.bytes].join()})`) as Uint8Array;
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    expect(validateProgram(foreign)).toEqual([]);
  });
});

describe('exports', () => {
  it('refuse programs that the kernel would refuse', () => {
    for (const write of [programBytes, programToC, (one: Uint8Array) => sockFprog(one, 1n), (one: Uint8Array) => simulate(one, { nr: 0, arch: 'arm' })]) {
      expect(() => write(filter.bytes.subarray(0, 16))).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_INVALID' }));
      expect(() => write(filter.bytes)).not.toThrow();
    }
  });

  it('make a struct sock_fprog', () => {
    const fprog = new DataView(sockFprog(filter, 0x7fff12345678n).buffer);
    expect([fprog.byteLength, fprog.getUint16(0, true), fprog.getBigUint64(8, true)]).toEqual([16, filter.length, 0x7fff12345678n]);
  });

  it('refuse what is no C identifier', () => {
    expect(() => programToC(filter, 'x; int main')).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_DESCRIPTION' }));
  });

  it.skipIf(process.platform !== 'linux' || spawnSync('gcc', ['--version']).status !== 0)('make a C array with the same bytes [needs gcc]', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandlock-bpf-'));
    try {
      writeFileSync(join(folder, 'main.c'), `${programToC(filter, 'mine')}#include <unistd.h>\nint main(void)\n{\n`
        + '\treturn write(1, mine_prog.filter, mine_prog.len * sizeof(mine[0])) < 0;\n}\n');
      execFileSync('gcc', ['-Wall', '-Werror', '-o', join(folder, 'main'), join(folder, 'main.c')]);
      expect(Uint8Array.from(execFileSync(join(folder, 'main')))).toEqual(filter.bytes);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('validateProgram', () => {
  const end: Instruction = { code: 0x06, jt: 0, jf: 0, k: 0 };
  it.each<[string, Instruction[], number, RegExp]>([
    ['an empty program', [], -1, /empty/],
    ['4097 instructions', Array<Instruction>(4097).fill(end), -1, /4096/],
    ['no return at the end', [{ code: 0x20, jt: 0, jf: 0, k: 0 }], 0, /return/],
    ['an unaligned load', [{ code: 0x20, jt: 0, jf: 0, k: 2 }, end], 0, /offset/],
    ['a load behind the data', [{ code: 0x20, jt: 0, jf: 0, k: 64 }, end], 0, /offset/],
    ['a byte load', [{ code: 0x30, jt: 0, jf: 0, k: 0 }, end], 0, /0x30/],
    ['a jump out of the program', [{ code: 0x15, jt: 1, jf: 0, k: 0 }, end], 0, /leaves/],
    ['a far jump that would wrap', [{ code: 0x05, jt: 0, jf: 0, k: 0xffffffff }, end], 0, /leaves/],
    ['a division by zero', [{ code: 0x34, jt: 0, jf: 0, k: 0 }, end], 0, /zero/],
    ['a shift by 32', [{ code: 0x64, jt: 0, jf: 0, k: 32 }, end], 0, /shift/],
    ['memory word 16', [{ code: 0x02, jt: 0, jf: 0, k: 16 }, end], 0, /16/],
    ['a load of memory never stored', [{ code: 0x60, jt: 0, jf: 0, k: 0 }, end], 0, /stored/],
    ['a modulo, which seccomp has not', [{ code: 0x94, jt: 0, jf: 0, k: 2 }, end], 0, /0x94/],
    ['a field that does not fit', [{ code: 0x15, jt: 256, jf: 0, k: 0 }, end], 0, /fit/],
  ])('finds %s', (_, program, index, message) => {
    const problems = validateProgram(program);
    expect(problems[0]).toMatchObject({ index });
    expect(problems[0]!.message).toMatch(message);
    expect(validateProgram([end])).toEqual([]);
  });
});

describe('seccomp data', () => {
  it('is laid out as the kernel does', () => {
    expect([...seccompDataWords({ nr: -1, arch: 'i386', instructionPointer: 0x123456789n, args: [-1, 0x1_0000_0002n] })])
      .toEqual([0xffffffff, 0x40000003, 0x23456789, 1, 0xffffffff, 0xffffffff, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it.each([['a number beyond 32 bits', { nr: 2 ** 32 }], ['half a number', { nr: 0.5 }], ['an argument beyond 64 bits', { args: [2n ** 64n] }],
    ['an inexact argument', { args: [2 ** 53] }], ['a seventh argument', { args: [0, 0, 0, 0, 0, 0, 0] }]])('refuses %s', (_, change) => {
    expect(() => seccompDataWords({ nr: 0, arch: 'x86_64', ...change })).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_FILTER_ARGUMENT' }));
  });
});

describe('tables', () => {
  it('resolve names both ways, and know no property of Object', () => {
    expect(syscallNumber('x86_64', 'read')).toBe(0);
    expect(syscallNumber('aarch64', 'read')).toBe(63);
    expect(syscallNumber('x32', 'read')).toBe(0x40000000);
    expect(syscallName('i386', 4)).toBe('write');
    expect(syscallNumber('x86_64', 'toString')).toBeUndefined();
    expect(syscallName('x86_64', 99_999)).toBeUndefined();
    for (const table of Object.values(syscallTables)) {
      for (const [name, nr] of Object.entries(table.numbers)) expect(syscallNumber(table.arch, syscallName(table.arch, nr)!), name).toBe(nr);
      expect(AUDIT_ARCH[table.arch]).toBe(table.auditArch);
      expect(syscallNames(table.arch).length).toBeGreaterThan(300);
    }
  });

  it('take both spellings of fstatat where the architecture has either', () => {
    for (const arch of ['x86_64', 'x32', 'aarch64', 'riscv64'] as const) {
      expect(syscallNumber(arch, 'fstatat')).toBe(syscallNumber(arch, 'newfstatat'));
      expect(syscallNumber(arch, 'fstatat')).toBeDefined();
    }
    expect(syscallNumber('i386', 'newfstatat')).toBeUndefined();
    const older = { arch: 'aarch64', auditArch: AUDIT_ARCH.aarch64, kernel: '5.0.0', numbers: { fstatat: 79 } } as const;
    expect(numberIn(older, 'newfstatat')).toBe(79);
  });

  it('tell x32 from x86_64 by bit 30', () => {
    expect(archOf(AUDIT_ARCH.x86_64, 0x3fffffff)).toBe('x86_64');
    expect(archOf(AUDIT_ARCH.x86_64, 0x40000000)).toBe('x32');
    expect(archOf(AUDIT_ARCH.x86_64, -1)).toBe('x32');
    expect(archOf(AUDIT_ARCH.arm, 0x40000000)).toBe('arm');
    expect(archOf(1, 0)).toBeUndefined();
  });

  it('know errno names, the usual one first', () => {
    expect([errnoNumber('EAGAIN'), errnoNumber('EWOULDBLOCK'), errnoName(11), errnoName(38), errnoName(4000)]).toEqual([11, 11, 'EAGAIN', 'ENOSYS', undefined]);
    expect(errno('EPERM')).toEqual(errno(1));
    expect(trap()).toEqual(trap(0));
  });
});
