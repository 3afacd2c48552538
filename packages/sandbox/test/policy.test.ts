import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { syscallNumber } from '@sandlock/bpf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConfigError } from '../src/errors.js';
import { buildPolicy } from '../src/policy/build-policy.js';
import { maskEntropy } from '../src/policy/entropy-masks.js';
import { buildEnvironment, SAFE_PATH, withHostName } from '../src/policy/environment.js';
import { resolveGrants } from '../src/policy/resolve-grants.js';
import type { SandboxOptions } from '../src/options/option-table.js';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const build = (options: SandboxOptions) => buildPolicy(options, 'x86_64', () => bytes('/work')).policy;

describe('buildPolicy', () => {
  it('denies everything by default', () => {
    expect(build({})).toMatchObject({
      supervised: true, fs: { readable: [], writable: [] },
      net: { connect: { kind: 'ports', ports: [] }, bind: { kind: 'ports', ports: [] } },
      maxProcesses: 64, keepCapabilities: [], cwd: null, user: null, name: null,
      protections: { fsRefer: 'strict', netTcp: 'strict', signalScope: 'strict' },
    });
  });

  it('names the relative path that starts nowhere, and does without a directory where none starts there', () => {
    const gone = () => { throw Object.assign(new Error('uv_cwd'), { code: 'ENOENT' }); };
    const paths = (options: SandboxOptions) => {
      try {
        buildPolicy(options, 'x86_64', gone);
        return [];
      } catch (error) {
        return (error as ConfigError).issues.map(({ path, message }) => `${path} ${/\(\w+\)/.exec(message)?.[0]}`);
      }
    };
    expect(paths({ fsReadable: ['/a', 'b'] })).toEqual(['fsReadable[1] (ENOENT)']);
    expect(paths({ fsWritable: [{ path: 'b', optional: true }] })).toEqual(['fsWritable[0] (ENOENT)']);
    expect(paths({ cwd: '.' })).toEqual(['cwd (ENOENT)']);
    expect(paths({ fsReadable: ['/a'], cwd: '/' })).toEqual([]);
  });

  it('is frozen to the bottom and survives a structured clone', () => {
    const policy = build({ fsReadable: ['/a'], env: { A: '1' }, netAllow: [':1'], cpuCores: [0], user: '1:1' });
    const frozen = (value: unknown): boolean => typeof value !== 'object' || value === null || ArrayBuffer.isView(value)
      || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(policy)).toBe(true);
    expect(structuredClone(policy)).toEqual(policy);
  });

  it('takes a time to start at, to the nanosecond', () => {
    expect(build({}).timeStartNs).toBeNull();
    expect(build({ timeStart: '2000-01-01T00:00:00.000000001Z' }).timeStartNs).toBe(946_684_800_000_000_001n);
    expect(() => build({ timeStart: 'noon' })).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: 'timeStart' })] }) as Error);
    expect(() => build({ timeStart: 0, noSupervisor: true })).toThrow(/noSupervisor is incompatible with: timeStart/);
  });

  it('takes a time to stand still at, which needs one', () => {
    expect(build({ timeStart: 0 }).timeFrozen).toBe(false);
    expect(build({ timeFrozen: false }).timeFrozen).toBe(false);
    expect(build({ timeStart: 0, timeFrozen: true })).toMatchObject({ timeStartNs: 0n, timeFrozen: true });
    const issues = (options: SandboxOptions): unknown => {
      try { return build(options); } catch (error) { return (error as ConfigError).issues.map(({ path }) => path); }
    };
    expect(issues({ timeFrozen: true })).toEqual(['timeFrozen']);
    expect(issues({ timeFrozen: true, timeStart: 'noon' })).toEqual(['timeStart']);
    expect(build({ timeStart: 0, shiftFileTimes: true }).shiftFileTimes).toBe(true);
    expect(issues({ shiftFileTimes: true })).toEqual(['shiftFileTimes']);
    expect(issues({ shiftFileTimes: true, timeStart: 'noon' })).toEqual(['timeStart']);
  });

  it('takes the id of a machine, as machine-id(5) and UUIDs are written', () => {
    expect(build({}).machineId).toBe(null);
    expect(build({ machineId: '01234567-89ab-cdef-0123-456789ABCDEF' }).machineId).toBe('0123456789abcdef0123456789abcdef');
    for (const machineId of ['', '0123', '0'.repeat(32), 'g'.repeat(32)]) {
      expect(() => build({ machineId })).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: 'machineId' })] }) as Error);
    }
    expect(() => build({ machineId: 'a'.repeat(32), noSupervisor: true })).toThrow(/noSupervisor is incompatible with: machineId/);
  });

  it('takes a seed of 64 bits, and the order of directories', () => {
    expect(build({})).toMatchObject({ randomSeed: null, deterministicDirs: false });
    expect(build({ randomSeed: 7, deterministicDirs: true })).toMatchObject({ randomSeed: 7n, deterministicDirs: true });
    expect(build({ randomSeed: 0 }).randomSeed).toBe(0n);
    expect(() => build({ randomSeed: -1 })).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: 'randomSeed' })] }) as Error);
    expect(() => build({ randomSeed: 0, deterministicDirs: true, noSupervisor: true })).toThrow(/noSupervisor is incompatible with: randomSeed .*deterministicDirs/);
  });

  it('keeps handlers beside the policy', () => {
    const handler = { syscall: 'uname', handler: () => { throw new Error('never called'); } };
    const { policy, handlers } = buildPolicy({ handlers: [handler] }, 'x86_64');
    expect(handlers).toEqual([handler]);
    expect(() => structuredClone(policy)).not.toThrow();
  });

  it('does not follow later changes of the options', () => {
    const options = { env: { A: '1' }, netAllow: [':1'], cwd: Buffer.from('/a') };
    const policy = build(options);
    options.env.A = '2';
    options.netAllow.push(':2');
    options.cwd[1] = 0x62;
    expect(policy).toMatchObject({ environment: { set: { A: '1' } }, net: { connect: { ports: [1] } }, cwd: bytes('/a') });
  });

  it('makes grants and cwd absolute by joining, never resolving', () => {
    const policy = build({ fsReadable: ['a/../b', '/c'], fsWritable: [{ path: '.', optional: true }], cwd: 'd' });
    expect(policy.fs.readable).toEqual([
      { path: bytes('/work/a/../b'), optional: false, from: 'fsReadable[0]' },
      { path: bytes('/c'), optional: false, from: 'fsReadable[1]' },
    ]);
    expect(policy.fs.writable).toEqual([{ path: bytes('/work/.'), optional: true, from: 'fsWritable[0]' }]);
    expect(policy.cwd).toEqual(bytes('/work/d'));
  });

  it('takes the working directory of this process by default', () => {
    expect(buildPolicy({ cwd: 'x' }, 'x86_64').policy.cwd).toEqual(bytes(`${process.cwd()}/x`));
  });

  it('lets disable win over allowDegraded', () => {
    expect(build({ allowDegraded: ['netTcp', 'signalScope'], disable: ['net-tcp'] }).protections)
      .toMatchObject({ netTcp: 'disabled', signalScope: 'degradable', fsRefer: 'strict' });
  });

  it('adds rules up, and one for every port covers the others', () => {
    expect(build({ netAllow: [':443', ':80,443'] }).net.connect).toEqual({ kind: 'ports', ports: [80, 443] });
    expect(build({ netAllow: [':443', '*:*'] }).net.connect).toEqual({ kind: 'any' });
    expect(build({ netAllowBind: ['*'] }).net.bind).toEqual({ kind: 'any' });
  });

  it('denies the blocklist, less what is allowed, plus what is denied', () => {
    const denied = (options: SandboxOptions, name: string) => build(options).deniedSyscalls.includes(syscallNumber('x86_64', name)!);
    expect(denied({}, 'mount')).toBe(true);
    expect(denied({}, 'shmget')).toBe(true);
    expect(denied({ extraAllowSyscalls: ['sysv_ipc'] }, 'shmget')).toBe(false);
    expect(denied({ extraAllowSyscalls: ['sysv_ipc'] }, 'mq_open')).toBe(true);
    expect(denied({}, 'socket')).toBe(false);
    expect(denied({ extraDenySyscalls: ['socket'] }, 'socket')).toBe(true);
    expect(denied({}, 'clone3')).toBe(true);
    expect(denied({}, 'chmod')).toBe(true);
    expect(denied({ fsWritable: ['/tmp'] }, 'chmod')).toBe(false);
    expect(denied({ noSupervisor: true }, 'mount')).toBe(false);
    expect(denied({ noSupervisor: true }, 'io_uring_setup')).toBe(true);
  });
});

describe('maskEntropy', () => {
  it('tells OpenSSL to leave the processor alone, unless it is told something else', () => {
    const masked = (environment: Record<string, string>, arch: 'x86_64' | 'aarch64' = 'x86_64') => {
      maskEntropy(environment, arch);
      return environment;
    };
    expect(masked({ A: '1' })).toEqual({ A: '1', OPENSSL_ia32cap: '~0x4000000000000000:~0x40000' });
    expect(masked({ OPENSSL_ia32cap: '' })).toEqual({ OPENSSL_ia32cap: '' });
    expect(masked({ A: '1' }, 'aarch64')).toEqual({ A: '1' });
  });
});

describe('buildEnvironment', () => {
  const inherited = { PATH: '/bin', HOME: '/root', USER: 'u', TERM: 't', LANG: 'C', SECRET: 's', GONE: undefined };

  it('inherits everything, and sets on top', () => {
    expect({ ...buildEnvironment({ clean: false, set: { SECRET: 'mine' } }, inherited, { X: '1' }) })
      .toEqual({ PATH: '/bin', HOME: '/root', USER: 'u', TERM: 't', LANG: 'C', SECRET: 'mine', X: '1' });
  });

  it('keeps five variables when clean', () => {
    expect({ ...buildEnvironment({ clean: true, set: {} }, inherited) })
      .toEqual({ PATH: '/bin', HOME: '/root', USER: 'u', TERM: 't', LANG: 'C' });
  });

  it('puts a safe PATH where none is inherited, and not over one that is set', () => {
    expect({ ...buildEnvironment({ clean: true, set: {} }, { PATH: '' }) }).toEqual({ PATH: SAFE_PATH });
    expect({ ...buildEnvironment({ clean: true, set: { PATH: '/x' } }, {}) }).toEqual({ PATH: '/x' });
    expect({ ...buildEnvironment({ clean: false, set: {} }, {}) }).toEqual({});
  });

  it('names the sandbox where the machine was named, and nowhere else', () => {
    expect(withHostName({ HOSTNAME: 'machine', A: '1' }, 'box')).toEqual({ HOSTNAME: 'box', A: '1' });
    expect(withHostName({ A: '1' }, 'box')).toEqual({ A: '1' });
    expect(buildEnvironment({ clean: false, set: { HOSTNAME: 'mine' } }, withHostName({ HOSTNAME: 'machine' }, 'box'))).toEqual({ HOSTNAME: 'mine' });
  });

  it('takes a variable called __proto__ for what it is', () => {
    const set = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    expect(Object.entries(buildEnvironment({ clean: false, set }, {}))).toEqual([['__proto__', 'x']]);
  });
});

describe('resolveGrants', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'sandlock-grants-'));
    writeFileSync(join(dir, 'file'), '');
    mkdirSync(join(dir, 'sub'));
  });
  afterAll(() => { rmSync(dir, { recursive: true }); });
  const resolve = (options: SandboxOptions) => resolveGrants(buildPolicy(options, 'x86_64').policy);

  it('returns what is there and drops what may be missing', () => {
    const fs = resolve({
      fsReadable: [join(dir, 'file'), { path: join(dir, 'no'), optional: true }, { path: join(dir, 'file/no'), optional: true }],
      fsWritable: [join(dir, 'sub')], cwd: join(dir, 'sub'),
    });
    expect(fs.readable.map(({ from }) => from)).toEqual(['fsReadable[0]']);
    expect(fs.writable.map(({ from }) => from)).toEqual(['fsWritable[0]']);
  });

  it('names every missing path at once', () => {
    try {
      resolve({ fsReadable: [dir, join(dir, 'a')], fsWritable: [join(dir, 'b')], cwd: join(dir, 'file') });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues.map(({ path }) => path)).toEqual(['fsWritable[0]', 'fsReadable[1]', 'cwd']);
      expect((error as ConfigError).message).toContain(join(dir, 'a'));
    }
  });

  it('lets an optional path be missing, not be wrong', () => {
    symlinkSync('loop', join(dir, 'loop'));
    expect(() => resolve({ fsReadable: [{ path: join(dir, 'loop'), optional: true }] })).toThrow(/ELOOP/);
  });

  it('takes a missing cwd for an error', () => {
    expect(() => resolve({ cwd: join(dir, 'no') })).toThrow(ConfigError);
  });
});
