import { describe, expect, it } from 'vitest';

import { ConfigError } from '../src/errors.js';
import { cliFlags, flagPath, flagWords, optionsFromFlags, type Spelling } from '../src/options/cli-flags.js';
import { unsupportedForConfine } from '../src/options/confine-options.js';
import { OPTION_NAMES } from '../src/options/option-table.js';
import { parseOptions } from '../src/options/parse-options.js';

const flag = (name: string) => cliFlags.find((one) => one.flag === name)!;

describe('cliFlags', () => {
  it('cover every option but handlers', () => {
    expect(OPTION_NAMES.filter((name) => !cliFlags.some(({ option }) => option === name))).toEqual(['handlers']);
  });

  it('are spelled as commander wants them', () => {
    expect(flag('--fs-read')).toMatchObject({ spec: '-r, --fs-read <PATH>', attribute: 'fsRead', repeatable: true, negated: false });
    expect(flag('--clean-env')).toMatchObject({ spec: '--clean-env', attribute: 'cleanEnv', placeholder: undefined });
    expect(flag('--no-supervisor')).toMatchObject({ attribute: 'supervisor', negated: true });
    expect(flag('--max-processes')).toMatchObject({ spec: '-P, --max-processes <N>', repeatable: false });
  });

  it('have one line of help each', () => {
    for (const { summary } of cliFlags) expect(summary).toMatch(/^\S[^\n]{3,100}$/);
  });
});

describe('optionsFromFlags', () => {
  it('gives the option that each flag stands for', () => {
    const values: Record<string, unknown> = {
      fsRead: ['/usr', '/lib'], fsReadIfExists: ['/lib64'], fsWrite: ['/tmp'], netAllow: [':443'], netAllowBind: ['80,90-91', '0'],
      env: ['A=1', 'B=x=y', 'C='], cleanEnv: true, cwd: '/tmp', user: '1:2', coredump: false, hugePages: false, randomizeMemory: false,
      keepCapability: ['chown', 'CAP_KILL'], name: 'job', maxProcesses: '9', maxMemory: '64M', cgroup: '/sys/fs/cgroup/a', onMemoryExceeded: 'enomem', maxCpu: '25', numCpus: '2', gpu: '0,2', timeStart: '2000-01-01T00:00:00Z', timeFrozen: true, shiftFileTimes: true, machineId: '0123456789abcdef0123456789abcdef', randomSeed: '18446744073709551615', deterministicDirs: true, maxOpenFiles: '64', cpuCores: '0,2', allowDegraded: ['net-tcp'],
      disable: ['fs-truncate'], extraAllowSyscall: ['sysv_ipc'], extraDenySyscall: ['socket'], supervisor: true,
    };
    // Every flag is in it.
    expect(cliFlags.filter(({ attribute }) => !(attribute in values))).toEqual([]);
    const options = optionsFromFlags(values);
    expect(options).toEqual({
      fsReadable: ['/usr', '/lib', { path: '/lib64', optional: true }], fsWritable: ['/tmp'], netAllow: [':443'],
      netAllowBind: ['80,90-91', '0'], env: { A: '1', B: 'x=y', C: '' }, cleanEnv: true, cwd: '/tmp', user: '1:2', noCoredump: true,
      noHugePages: true, noRandomizeMemory: true, keepCapabilities: ['chown', 'CAP_KILL'], name: 'job', maxProcesses: 9, maxOpenFiles: 64,
      maxMemory: '64M', cgroup: '/sys/fs/cgroup/a', onMemoryExceeded: 'enomem', maxCpu: 25, numCpus: 2, gpuDevices: [0, 2], timeStart: '2000-01-01T00:00:00Z', timeFrozen: true, shiftFileTimes: true, machineId: '0123456789abcdef0123456789abcdef', randomSeed: '18446744073709551615', deterministicDirs: true, cpuCores: [0, 2], allowDegraded: ['net-tcp'], disable: ['fs-truncate'], extraAllowSyscalls: ['sysv_ipc'],
      extraDenySyscalls: ['socket'],
    });
    expect(() => parseOptions(options)).not.toThrow();
  });

  it('gives nothing for flags that were not given', () => {
    expect(optionsFromFlags({})).toEqual({});
    expect(optionsFromFlags({ supervisor: true, coredump: true, cleanEnv: undefined, fsRead: [], timeout: '5' })).toEqual({});
    expect(optionsFromFlags({ supervisor: false })).toEqual({ noSupervisor: true });
  });

  it('lets the last one of a single flag count', () => {
    expect(optionsFromFlags({ maxProcesses: ['3', '4'] })).toEqual({ maxProcesses: 4 });
  });

  it('keeps all capabilities on request', () => {
    expect(optionsFromFlags({ keepCapability: ['all'] })).toEqual({ keepCapabilities: true });
  });

  it('names the flag whose text stands for no value', () => {
    try {
      optionsFromFlags({ env: ['A'] });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues).toMatchObject([{ path: '--env', message: expect.stringContaining('"A"') }]);
    }
  });

  it('leaves numbers that are none to the options', () => {
    for (const text of ['x', '1e3', '-1', '1.5', '']) {
      expect(() => parseOptions(optionsFromFlags({ maxProcesses: text }))).toThrow(ConfigError);
      expect(() => parseOptions(optionsFromFlags({ cpuCores: `0,${text}` }))).toThrow(ConfigError);
    }
  });
});

describe('flagPath', () => {
  it('turns the place of an issue into its flag', () => {
    expect(flagPath('fsReadable[1]')).toBe('--fs-read');
    expect(flagPath('env.A')).toBe('--env');
    expect(flagPath('noSupervisor')).toBe('--no-supervisor');
    expect(flagPath('handlers[0]')).toBe('handlers[0]');
    expect(flagPath('')).toBe('');
  });
});

describe('flagWords', () => {
  it('puts flags for the names of options, and leaves quotations and ordinary words', () => {
    expect(flagWords('fsReadable[1] and netAllow: an env of a user, "cpuCores \\" cpuCores", fsRefer.'))
      .toBe('--fs-read and --net-allow: an env of a user, "cpuCores \\" cpuCores", fsRefer.');
  });
});

describe('another spelling', () => {
  const spelling: Spelling = (option, part) => (option === 'name' ? undefined : `<${option} ${String(part)}>`);

  it('is asked for an option and the part of it that is meant', () => {
    expect(flagPath('fsReadable[1]', spelling)).toBe('<fsReadable 1>');
    expect(flagPath('env.A', spelling)).toBe('<env A>');
    expect(flagPath('env["a\\"]b"]', spelling)).toBe('<env a"]b>');
    expect(flagPath('maxMemory', spelling)).toBe('<maxMemory undefined>');
    expect(flagPath('name', spelling)).toBe('name');
    expect(flagPath('constructor', spelling)).toBe('constructor');
  });

  it('stands in messages for names, also for ordinary words in backticks', () => {
    expect(flagWords('fsReadable[1], `cgroup`, `name`, `noOption`, cgroup, "maxCpu".', spelling))
      .toBe('<fsReadable 1>, <cgroup undefined>, `name`, `noOption`, cgroup, "maxCpu".');
  });
});

describe('unsupportedForConfine', () => {
  it('names what confine() would have to ignore, and not what is at its default', () => {
    const parsed = parseOptions({
      fsReadable: ['/'], fsWritable: ['/tmp'], allowDegraded: ['net-tcp'], disable: ['signal-scope'],
      env: {}, cleanEnv: false, maxProcesses: 64, netAllow: [], netAllowBind: [80], name: 'x', cwd: '/', user: '1:1', keepCapabilities: false,
    });
    expect(unsupportedForConfine(parsed)).toEqual(['netAllowBind', 'cwd', 'user', 'name']);
  });
});
