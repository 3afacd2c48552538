import { action, on } from '@sandlock/dispatch';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { ConfigError, type ConfigIssue } from '../src/errors.js';
import { NOT_YET_OPTIONS } from '../src/options/not-yet-options.js';
import { isOptionName, OPTION_NAMES } from '../src/options/option-table.js';
import { parseOptions } from '../src/options/parse-options.js';

function issuesOf(options: unknown): readonly ConfigIssue[] {
  try {
    parseOptions(options);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).code).toBe('ERR_SANDLOCK_CONFIG');
    return (error as ConfigError).issues;
  }
  return [];
}
const paths = (options: unknown) => issuesOf(options).map(({ path }) => path);

describe('parseOptions', () => {
  it('takes nothing, and every option at once', () => {
    expect(parseOptions({})).toEqual({});
    const every = {
      fsReadable: ['/usr', { path: '/lib64', optional: true }, Buffer.from('/b'), new URL('file:///etc')],
      fsWritable: ['/tmp'],
      netAllow: [':443', 'tcp://*:80'],
      netAllowBind: [8080, '9000-9001'],
      env: { A: '1' },
      cleanEnv: true,
      cwd: '/tmp',
      user: { uid: 1, gid: 2 },
      noCoredump: true,
      noHugePages: false,
      noRandomizeMemory: true,
      keepCapabilities: ['chown'],
      name: 'job',
      maxProcesses: 5,
      maxOpenFiles: 64,
      maxMemory: '64M',
      cgroup: 'none',
      onMemoryExceeded: 'enomem',
      maxCpu: 25,
      numCpus: 2,
      timeStart: '2000-01-01T00:00:00Z',
      timeFrozen: true,
      shiftFileTimes: true,
      machineId: '01234567-89ab-cdef-0123-456789ABCDEF',
      randomSeed: 42,
      deterministicDirs: true,
      gpuDevices: [1, 0, 1],
      cpuCores: [1, 0, 1],
      allowDegraded: ['signal-scope'],
      disable: ['fsIoctlDev'],
      extraAllowSyscalls: ['sysv_ipc'],
      extraDenySyscalls: ['socket'],
      noSupervisor: false,
      handlers: [{ syscall: 'uname', handler: () => { throw new Error('never called'); } }],
    };
    expect(Object.keys(every).sort()).toEqual([...OPTION_NAMES].sort());
    expect(parseOptions(every)).toMatchObject({ cpuCores: [0, 1], keepCapabilities: ['CAP_CHOWN'], disable: ['fsIoctlDev'] });
  });

  it('leaves out what is undefined', () => {
    expect(parseOptions(Object.fromEntries(OPTION_NAMES.map((name) => [name, undefined])))).toEqual({});
  });

  it('takes frozen lists', () => {
    expect(parseOptions(Object.freeze({ netAllow: Object.freeze([':1']) })).netAllow).toHaveLength(1);
  });

  it('reports every issue at once, each with its place', () => {
    expect(paths({
      fsReadable: ['/ok', '', 7],
      env: { 'A=B': 'x', C: 1 },
      user: { uid: 1 },
      maxOpenFiles: 0,
      netAllow: [':443', 'example.org:443'],
      keepCapabilities: ['CAP_X'],
      nonsense: 1,
    })).toEqual([
      'nonsense', 'fsReadable[1]', 'fsReadable[2]', 'netAllow[1]', 'env["A=B"]', 'env.C', 'user', 'keepCapabilities', 'maxOpenFiles',
    ]);
  });

  it.each(OPTION_NAMES)('refuses a symbol, and null, as %s', (name) => {
    expect(paths({ [name]: Symbol('x') })).toContain(name);
    expect(paths({ [name]: null })).toContain(name);
  });

  it('refuses what is no object', () => {
    for (const options of [null, undefined, [], 'x', 7, () => 1]) {
      if (typeof options === 'function') continue;
      expect(issuesOf(options)).toHaveLength(1);
    }
  });

  it('does not look at the prototype', () => {
    expect(parseOptions(Object.create({ fsWritable: ['/'] }))).toEqual({});
  });

  it('reads each value once', () => {
    let reads = 0;
    parseOptions({ get cwd() { reads++; return '/'; } });
    expect(reads).toBe(1);
  });

  it('names the nearest option for an unknown one', () => {
    for (const [wrong, right] of [['fsReadble', 'fsReadable'], ['fs_readable', 'fsReadable'], ['maxProcess', 'maxProcesses']]) {
      expect(issuesOf({ [wrong!]: [] })[0]!.hint).toContain(right);
    }
    expect(issuesOf({ zzzzzzzz: 1 })[0]!.hint).toBeUndefined();
    expect(paths({ constructor: 1, toString: 1 })).toEqual(['constructor', 'toString']);
  });

  it('says of options that are not built that they are not available yet', () => {
    for (const name of NOT_YET_OPTIONS) {
      expect(isOptionName(name)).toBe(false);
      expect(issuesOf({ [name]: 1 })).toMatchObject([{ path: name, message: expect.stringContaining('not available yet') }]);
    }
  });

  it('names the net rule that is not available yet', () => {
    for (const rule of ['example.org:443', 'tcp://192.0.2.1:1', 'udp://*:53', 'icmp://*', '[::1]:80']) {
      expect(issuesOf({ netAllow: [rule] })).toMatchObject([
        { path: 'netAllow[0]', message: expect.stringContaining(rule), hint: expect.any(String) },
      ]);
      expect(issuesOf({ netAllow: [rule] })[0]!.message).toContain('not available yet');
    }
    // A mistake is a mistake first.
    expect(issuesOf({ netAllow: ['example.org:0'] })[0]!.message).not.toContain('not available yet');
  });

  it('refuses "*" mixed with ports to bind', () => {
    expect(paths({ netAllowBind: ['*', 80] })).toEqual(['netAllowBind']);
    expect(paths({ netAllowBind: ['*', '*'] })).toEqual([]);
    expect(paths({ netAllowBind: ['*', 80], disable: ['netTcp'] })).toEqual(['netAllowBind']);
  });

  it('takes 1 to 100 percent of a processor, and shows what is none', () => {
    expect([1, 100].map((maxCpu) => parseOptions({ maxCpu }).maxCpu)).toEqual([1, 100]);
    for (const maxCpu of [0, 101, -5, 1.5, '25']) {
      expect(issuesOf({ maxCpu })).toMatchObject([{ path: 'maxCpu', message: expect.stringContaining(String(maxCpu)) }]);
    }
  });

  it('takes all GPUs or some, and quotes an index that is none', () => {
    expect(['all', 'ALL', [], [2, 0, 2]].map((gpuDevices) => parseOptions({ gpuDevices }).gpuDevices)).toEqual(['all', 'all', 'all', [0, 2]]);
    for (const index of ['x', -1, 1.5, '0']) {
      expect(issuesOf({ gpuDevices: [0, index] })).toMatchObject([
        { path: 'gpuDevices', message: expect.stringContaining(String(index)), hint: expect.stringContaining('"all"') },
      ]);
    }
    expect(paths({ gpuDevices: '0,1' })).toEqual(['gpuDevices']);
  });

  it('takes sizes as limits of memory, none that is no size, and no reaction without a limit', () => {
    expect(parseOptions({ maxMemory: '1g' })).toEqual({ maxMemory: 1n << 30n });
    for (const maxMemory of [0, '0', '', '-1', '1.5G', '64MB', '16777216T']) expect(paths({ maxMemory, onMemoryExceeded: 'kill' })).toEqual(['maxMemory']);
    expect(paths({ onMemoryExceeded: 'kill' })).toEqual(['onMemoryExceeded']);
    expect(parseOptions({ cgroup: '/sys/fs/cgroup/a' }).cgroup).toEqual(Uint8Array.from(Buffer.from('/sys/fs/cgroup/a')));
    for (const cgroup of ['', 'a', './none', '/a\0b']) expect(paths({ cgroup })).toEqual(['cgroup']);
    expect(issuesOf({ cgroup: 'none', noSupervisor: true })).toMatchObject([{ path: 'noSupervisor' }]);
    expect(paths({ maxMemory: 1, onMemoryExceeded: 'ENOMEM' })).toEqual(['onMemoryExceeded']);
    expect(issuesOf({ maxMemory: 1, noSupervisor: true })).toMatchObject([{ path: 'noSupervisor', message: expect.stringContaining('maxMemory') }]);
  });

  it('refuses calls both allowed and denied', () => {
    expect(paths({ extraAllowSyscalls: ['sysv_ipc'], extraDenySyscalls: ['read', 'shmget'] })).toEqual(['extraDenySyscalls[1]']);
  });

  it('takes variables of every name', () => {
    const env = Object.fromEntries(['constructor', 'prototype', '__proto__', 'toString', 'A B'].map((name) => [name, `is ${name}`]));
    expect(Object.entries(parseOptions({ env }).env!)).toEqual(Object.entries(env));
    expect(paths({ env: Object.fromEntries([['__proto__', 1]]) })).toEqual(['env.__proto__']);
    expect(paths({ env: [] })).toEqual(['env']);
  });

  it('takes variables from plain objects, and from nothing that only looks empty', () => {
    class Variables { readonly A = '1'; }
    expect(parseOptions({ env: Object.assign(Object.create(null), { A: '1' }) }).env).toEqual({ A: '1' });
    expect(parseOptions({ env: runInNewContext('({ A: "1" })') }).env).toEqual({ A: '1' });
    expect(parseOptions({ env: process.env }).env).toEqual({ ...process.env });
    const inherits: unknown = Object.create({ A: '1' });
    for (const [env, message, hint] of [
      [new Map([['A', '1']]), 'an instance of Map', 'Object.fromEntries()'], [new Set(['A=1']), 'an instance of Set', 'Object.fromEntries()'],
      [new URLSearchParams('A=1'), 'an instance of URLSearchParams', 'Object.fromEntries()'], [new Variables(), 'an instance of Variables', '{ ...object }'],
      [inherits, 'an object', '{ ...object }'], [Object.create(Object.assign(Object.create(null), { A: '1' })), 'an object', '{ ...object }'],
    ] as const) {
      expect(issuesOf({ env })).toEqual([{ path: 'env', message: `It is a plain object of names and values, not ${message}.`, hint: expect.stringContaining(hint) }]);
    }
  });

  it('hides the values of variables', () => {
    const [issue] = issuesOf({ env: { TOKEN: 'secret\0value' } });
    expect(issue!.path).toBe('env.TOKEN');
    expect(issue!.message).not.toContain('secret');
  });

  it('takes handlers for calls that there are', () => {
    const handler = () => action.continue();
    expect(issuesOf({ fsReadable: 1, handlers: [on('getppid', handler), on('get_ppid', handler), on(99999, handler), on(-1, handler), on(1.5, handler), on('7', handler)] }))
      .toMatchObject([{ path: 'fsReadable' }, { path: 'handlers[1]', hint: 'Did you mean getppid?' },
        ...[2, 3, 4, 5].map((i) => ({ path: `handlers[${i}]` }))]);
    // Of which this architecture has none, and others have.
    const elsewhere = process.arch === 'x64' ? 'riscv_hwprobe' : 'open';
    expect(issuesOf({ handlers: [on(elsewhere, handler)] })).toMatchObject([{ path: 'handlers[0]', hint: expect.stringContaining('optional') }]);
    expect(paths({ handlers: [on(elsewhere, handler, { optional: true })] })).toEqual([]);
    expect(paths({ handlers: [on('no_such_call', handler, { optional: true })] })).toEqual(['handlers[0]']);
  });

  it('checks handlers by shape', () => {
    const handler = { handle: () => { throw new Error('never called'); } };
    expect(paths({ handlers: [{ syscall: 'uname', handler }] })).toEqual([]);
    expect(paths({ handlers: [{ syscall: 'uname' }, { handler }, null, { syscall: 1, handler: {} }] }))
      .toEqual(['handlers[0]', 'handlers[1]', 'handlers[2]', 'handlers[3]']);
  });
});

describe('netTcp disabled', () => {
  it('leaves no TCP at all or all of it', () => {
    const disable = ['netTcp'];
    expect(paths({ disable })).toEqual([]);
    expect(paths({ disable, netAllow: ['*:*'], netAllowBind: ['*'] })).toEqual([]);
    expect(paths({ disable, netAllow: [':443'] })).toEqual(['disable']);
    expect(paths({ disable, netAllow: ['*:*'] })).toEqual(['disable']);
    expect(paths({ disable, netAllowBind: [80] })).toEqual(['disable']);
  });

  it('adds no issue where a rule was refused', () => {
    expect(paths({ disable: ['netTcp'], netAllow: ['nonsense:x'], netAllowBind: ['*'] })).toEqual(['netAllow[0]']);
  });
});

describe('noSupervisor', () => {
  it('keeps what Landlock, the filter and the start enforce alone', () => {
    expect(paths({
      noSupervisor: true, fsReadable: ['/'], fsWritable: ['/tmp'], env: { A: '1' }, cleanEnv: true, cwd: '/', user: '1:1',
      noCoredump: true, noHugePages: true, noRandomizeMemory: true, maxOpenFiles: 9, cpuCores: [0], netAllow: [':443'],
      netAllowBind: [0, 80], keepCapabilities: true, name: 'outer', extraDenySyscalls: ['socket'], extraAllowSyscalls: ['sysv_ipc'],
      allowDegraded: ['netTcp'], disable: ['signalScope'],
    })).toEqual([]);
  });

  it('names every option in the way in one issue', () => {
    const issues = issuesOf({ noSupervisor: true, maxProcesses: 3, handlers: [{ syscall: 'uname', handler: () => undefined }] });
    expect(issues).toHaveLength(1);
    expect(issues[0]!.message).toContain('maxProcesses');
    expect(issues[0]!.message).toContain('handlers');
  });

  it('takes those options at their defaults', () => {
    expect(paths({ noSupervisor: true, maxProcesses: 64, handlers: [] })).toEqual([]);
  });

  it('refuses ports to listen on that would open every free one', () => {
    expect(paths({ noSupervisor: true, netAllowBind: [80] })).toEqual(['netAllowBind']);
    expect(paths({ noSupervisor: true, netAllowBind: ['*'] })).toEqual([]);
    expect(paths({ netAllowBind: [80] })).toEqual([]);
  });
});
