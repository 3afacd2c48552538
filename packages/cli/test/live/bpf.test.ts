/** The built command, as somebody at a shell has it. */
import { allow, arg32, compileFilter, errno, parseProgram, type Rule } from '@sandlock/bpf';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { command, sandlock } from './sandlock.js';

const PROFILE = fileURLToPath(new URL('../../../bpf/test/data/docker-default-seccomp.json', import.meta.url));
const bwrapWorks = spawnSync('bwrap', ['--ro-bind', '/', '/', 'true']).status === 0;

const bpf = (args: readonly string[], input?: string | Uint8Array) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'bpf', ...args], { input: input ?? '', maxBuffer: 1 << 26 });
  return { code: status, bytes: new Uint8Array(stdout), stdout: stdout.toString(), stderr: stderr.toString() };
};
const filterOf = (...rules: Rule[]) => compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules }] });

let folder: string;
let rulesFile: string;
let bytesFile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  rulesFile = join(folder, 'rules.json');
  bytesFile = join(folder, 'rules.bpf');
  writeFileSync(rulesFile, JSON.stringify({
    defaultAction: 'allow', architectures: [{ arch: 'x86_64', rules: [
      { syscall: 'uname', action: 'errno(EUCLEAN)' },
      { syscall: 'socket', when: [{ arg: 0, width: 32, op: 'ne', value: 1 }], action: 'errno(EAFNOSUPPORT)' },
    ] }],
  }));
  writeFileSync(bytesFile, filterOf({ syscall: 'uname', action: errno('EUCLEAN') },
    { syscall: 'socket', when: [arg32(0).ne(1)], action: errno('EAFNOSUPPORT') }).bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('sandlock bpf compile', () => {
  it('writes the bytes that the library makes, to stdout and to a file', () => {
    const wanted = new Uint8Array(readFileSync(bytesFile));
    expect(bpf(['compile', rulesFile])).toMatchObject({ code: 0, bytes: wanted, stderr: '' });
    const file = join(folder, 'written.bpf');
    expect(bpf(['compile', '-', '-o', file], readFileSync(rulesFile))).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(new Uint8Array(readFileSync(file))).toEqual(wanted);
  });

  it('takes profiles, capabilities and kernels', () => {
    const [none, docker] = [bpf(['compile', PROFILE]), bpf(['compile', '--cap', 'docker', PROFILE])];
    expect([none.code, docker.code]).toEqual([0, 0]);
    expect(parseProgram(docker.bytes).length).toBeGreaterThan(100);
    expect(docker.bytes).not.toEqual(none.bytes);
    const ptrace = (kernel: string) => bpf(['simulate', '--kernel', kernel, '--arch', 'x86_64', '--syscall', 'ptrace', PROFILE]).stdout;
    expect(ptrace('6.1')).toMatch(/^ALLOW /);
    expect(ptrace('4.7')).toMatch(/^ERRNO\(EPERM\) /);
    expect(bpf(['compile', '-v', PROFILE]).stderr).toMatch(/^sandlock: .*: no effect: syscalls\[0\]\.names\[\d+\]: \w+ has no system call/m);
  });

  it('writes C, JSON and a profile of the same meaning', () => {
    expect(bpf(['compile', '--format', 'c', '--name', 'mine', rulesFile]).stdout).toMatch(/^static struct sock_filter mine\[\] = \{$/m);
    const json = JSON.parse(bpf(['compile', '--json', rulesFile]).stdout) as { length: number; instructions: unknown[] };
    expect(json.instructions).toHaveLength(json.length);
    const profile = join(folder, 'profile.json');
    const rules = { defaultAction: 'allow', rules: [{ syscall: 'uname', action: 'errno(EUCLEAN)' }] };
    expect(bpf(['compile', '--arch', 'aarch64', '--format', 'oci', '-o', profile, '-'], JSON.stringify(rules))).toMatchObject({ code: 0, stderr: '' });
    const simulated = bpf(['simulate', '--arch', 'aarch64', '--syscall', 'uname', profile]);
    expect(simulated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ERRNO\(EUCLEAN\) /) });
  });

  it.skipIf(!existsSync('/usr/bin/script'))('does not write bytes to a terminal, and text only in colour there [needs script]', () => {
    const onTerminal = (args: string, env = {}) => spawnSync('script', ['-qec', `${process.execPath} ${command} bpf ${args}`, '/dev/null'],
      { encoding: 'utf8', env: { ...process.env, TERM: 'xterm', NO_COLOR: '', ...env } });
    const refused = onTerminal(`compile ${rulesFile}`);
    expect(refused.status).toBe(2);
    expect(refused.stdout).toMatch(/^sandlock: error: the bytes of a program are not for a terminal/);
    expect(onTerminal(`compile --format c ${rulesFile}`)).toMatchObject({ status: 0 });
    expect(onTerminal(`disasm ${rulesFile}`).stdout).toContain('\u001b[');
    expect(onTerminal(`disasm ${rulesFile}`, { NO_COLOR: '1' }).stdout).not.toContain('\u001b[');
    expect(bpf(['disasm', rulesFile]).stdout).not.toContain('\u001b[');
  });

  it.skipIf(!bwrapWorks)('makes what bubblewrap takes, of rules and of Docker\'s profile [needs bwrap]', () => {
    const under = (source: string[], ...program: string[]) => {
      const file = join(folder, 'bwrap.bpf');
      expect(bpf(['compile', '-o', file, ...source])).toMatchObject({ code: 0, stderr: '' });
      const fd = openSync(file, 'r');
      try {
        return spawnSync('bwrap', ['--ro-bind', '/', '/', '--dev', '/dev', '--seccomp', '3', ...program],
          { stdio: ['ignore', 'pipe', 'pipe', fd], encoding: 'utf8' });
      } finally {
        closeSync(fd);
      }
    };
    const rules = join(folder, 'native.json');
    writeFileSync(rules, JSON.stringify({ defaultAction: 'allow', rules: [{ syscall: 'uname', action: 'errno(EUCLEAN)' }] }));
    expect(under([rules], 'uname')).toMatchObject({ status: 1, stderr: expect.stringMatching(/Structure needs cleaning/) });
    expect(under([rules], 'echo', 'hello')).toMatchObject({ status: 0, stdout: 'hello\n' });
    expect(under(['--cap', 'docker', PROFILE], 'echo', 'hello')).toMatchObject({ status: 0, stdout: 'hello\n' });
    const unshare = under(['--cap', 'docker', PROFILE], 'unshare', '--user', 'true');
    expect(unshare.status).not.toBe(0);
    expect(unshare.stderr).toMatch(/Operation not permitted/);
  });
});

describe('sandlock bpf disasm', () => {
  it('reads bytes from stdin', () => {
    const { code, stdout, stderr } = bpf(['disasm', '-'], readFileSync(bytesFile));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^0000 {9}ld {3}arch$/m);
    expect(stdout).toMatch(/ret {2}ERRNO\(EAFNOSUPPORT\)$/m);
    expect(JSON.parse(bpf(['disasm', '--json', bytesFile]).stdout)).toMatchObject({ valid: true, problems: [] });
  });

  it('says what the kernel would refuse, and why', () => {
    const bytes = readFileSync(bytesFile).subarray(0, 16);
    const { code, stdout, stderr } = bpf(['disasm', '-'], bytes);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^0000 /);
    expect(stderr).toMatch(/^sandlock: error: stdin: the kernel would refuse this, for instruction 1: .*leaves the program/);
  });
});

describe('sandlock bpf explain', () => {
  it('tells verdicts, conditions and what the kernel does without running the filter', () => {
    const { code, stdout } = bpf(['explain', bytesFile]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^x86_64 {2}instructions: mean [\d.]+, worst \d+\n {2}ALLOW, cached: \d+ calls\n {4}read write /);
    expect(stdout).toMatch(/^ {2}ERRNO\(EUCLEAN\): 1 call\w*\n {4}uname$/m);
    expect(stdout).toMatch(/^ {2}socket \(41\): by args\[0\]$/m);
    expect(stdout).toMatch(/^ {4}ERRNO\(EAFNOSUPPORT\) if args\[0\]\.low != 1$/m);
    expect(stdout).toMatch(/^x32 .*\n {2}ERRNO\(ENOSYS\): every call$/m);
    expect(stdout).toMatch(/^other architectures\n {2}KILL_PROCESS\n$/m);
    expect(stdout).not.toContain('aarch64');
  });

  it('tells of single calls, and as JSON', () => {
    expect(bpf(['explain', '--syscall', 'x86_64:uname', '--syscall', 'i386:read', bytesFile])).toMatchObject({
      code: 0, stdout: 'x86_64 uname (63): ERRNO(EUCLEAN)\ni386 read (3): KILL_PROCESS\n',
    });
    const { architectures } = JSON.parse(bpf(['explain', '--json', '--syscall', 'x86_64:read', bytesFile]).stdout) as { architectures: unknown };
    expect(architectures).toMatchObject([{ arch: 'x86_64', syscalls: [{ name: 'read', nr: 0, cached: true, constant: true }] }]);
  });
});

describe('sandlock bpf diff', () => {
  it('says nothing, with code 0, of programs that are equal', () => {
    expect(bpf(['diff', rulesFile, bytesFile])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('says where they differ, with a witness and code 1', () => {
    const { code, stdout } = bpf(['diff', rulesFile, '-'], filterOf().bytes);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^x86_64: uname\n {2}ERRNO\(EUCLEAN\) -> ALLOW\n {2}such as arch 0xc000003e, nr 0x3f, args /m);
    expect(stdout).toMatch(/^x86_64: socket\n {2}if args\[0\]\.low != 1\n {2}ERRNO\(EAFNOSUPPORT\) -> ALLOW$/m);
    const json = JSON.parse(bpf(['diff', '--json', rulesFile, '-'], filterOf().bytes).stdout) as { witness: { args: string[] } }[];
    expect(json).toHaveLength(2);
    expect(json[0]!.witness.args).toHaveLength(6);
  });

  it('ends with code 2 in trouble', () => {
    expect(bpf(['diff', rulesFile, join(folder, 'gone')])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^sandlock: error: .*gone/) });
    expect(bpf(['diff', rulesFile])).toMatchObject({ code: 2 });
    expect(bpf(['diff', '-', '-'])).toMatchObject({ code: 2 });
  });
});

describe('sandlock bpf simulate', () => {
  it('gives action and path', () => {
    expect(bpf(['simulate', '--arch', 'x86_64', '--syscall', 'socket', '--args', '2,1', rulesFile])).toMatchObject({
      code: 0, stdout: expect.stringMatching(/^ERRNO\(EAFNOSUPPORT\) {2}after \d+ instructions\n$/),
    });
    expect(bpf(['simulate', '--arch', 'x86_64', '--syscall', 'socket', '--args', '1', rulesFile]).stdout).toMatch(/^ALLOW /);
    const { stdout } = bpf(['simulate', '--syscall', 'x86_64:uname', '--path', rulesFile]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^0000 {2}ld {3}arch$/);
    expect(lines.at(-1)).toBe(`ERRNO(EUCLEAN)  after ${lines.length - 1} instructions`);
    expect(JSON.parse(bpf(['simulate', '--json', '--syscall', 'x86_64:socket', '--args', '-1', rulesFile]).stdout)).toMatchObject({
      arch: 'x86_64', nr: 41, args: ['0xffffffffffffffff', '0', '0', '0', '0', '0'], text: 'ERRNO(EAFNOSUPPORT)', action: { type: 'errno' },
    });
  });
});

describe('errors', () => {
  it('are one line with the place, and code 1', () => {
    const profile = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_NONE' }] });
    const cases: [string[], string | Uint8Array, RegExp][] = [
      [['compile', '-'], profile, /^sandlock: error: stdin: syscalls\[0\]\.action: .*"SCMP_ACT_NONE" is not one of .*\n$/],
      [['compile', '-'], '{"defaultAction": }', /^sandlock: error: stdin: Line 1, column 19: .*\n$/],
      [['compile', '-'], '{"defaultAction": "allow", "rules": [{"syscall": "nope", "action": "log"}]}', /^sandlock: error: stdin: .*rules\[0\]\.syscall: .*\n$/],
      [['disasm', '-'], 'no filter', /^sandlock: error: stdin: 9 bytes are no program.*\n$/],
      [['explain', '-'], '', /^sandlock: error: stdin: 0 bytes are no program.*\n$/],
      [['simulate', '--syscall', 'read', '-'], new Uint8Array(8), /^sandlock: error: stdin: instructions\[0\]: The kernel would refuse this program.*\n$/],
      [['compile', '--format', 'oci', '-'], filterOf().bytes, /^sandlock: error: stdin: a profile is made of rules.*\n$/],
      [['compile', join('/', 'no', 'such')], '', /^sandlock: error: ENOENT.*\/no\/such.*\n$/],
      [['compile', '-'], Uint8Array.of(0x7b, 0xff), /^sandlock: error: stdin: JSON has to be UTF-8.*\n$/],
    ];
    for (const [args, input, wanted] of cases) {
      const { code, stdout, stderr } = bpf(args, input);
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(stderr).toMatch(wanted);
    }
  });

  it('of usage have code 2, and name the help', () => {
    for (const args of [[], ['nonsense'], ['compile'], ['compile', '--nonsense', 'f'], ['simulate', rulesFile], ['compile', '--format', 'x', 'f'],
      ['compile', '--name', 'x', 'f'], ['explain', '--syscall', 'nope', rulesFile]]) {
      const { code, stdout, stderr } = bpf(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toMatch(/^sandlock: error: .*\nSee "sandlock bpf.* --help"\.\n$/);
    }
  });

  it('are not made of a reader that has seen enough', () => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `"$0" "$1" bpf explain "$2" | head -n 1`, process.execPath, command, PROFILE], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\w+ {2}instructions/);
  });
});

describe('help', () => {
  it('is there for each command', async () => {
    expect(await sandlock(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('bpf COMMAND') });
    expect(bpf(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('simulate') });
    for (const name of ['compile', 'disasm', 'explain', 'diff', 'simulate']) {
      expect(bpf([name, '--help'])).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^Usage: sandlock bpf ${name} `)), stderr: '' });
    }
  });
});

it('a run loads none of this', () => {
  const main = readFileSync(join(command, '..', 'main.cjs'), 'utf8');
  expect(main).toContain('require("./bpf.cjs")');
  expect(main).not.toContain('Make, read, compare and try seccomp filters. Nothing');
  const trace = spawnSync(process.execPath, ['-e', `
    const Module = require('node:module'); const load = Module._load; const seen = [];
    Module._load = (name, ...rest) => { seen.push(name); return load(name, ...rest); };
    process.on('exit', () => console.log(JSON.stringify(seen)));
    process.argv.splice(1, 1, ${JSON.stringify(command)}, 'run', '--help'); require(${JSON.stringify(command)});`], { encoding: 'utf8' });
  const seen = JSON.parse(trace.stdout.trimEnd().split('\n').at(-1)!) as string[];
  expect(seen).toContain('node:fs');
  expect(seen).not.toContain('./bpf.cjs');
});
