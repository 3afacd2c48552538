/** What a sandbox writes is loaded as the same policy, whatever its options. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ConfigError, ProfileError } from '../../src/errors.js';
import { Sandbox } from '../../src/index.js';
import { OPTION_NAMES, optionNamed, type OptionName, type SandboxOptions } from '../../src/options/option-table.js';
import { parseOptions } from '../../src/options/parse-options.js';
import { buildPolicy } from '../../src/policy/build-policy.js';
import type { Policy } from '../../src/policy/policy.js';
import { parseProfile } from '../../src/profile/parse-profile.js';
import { optionFields } from '../../src/profile/profile-fields.js';
import { writeProfile } from '../../src/profile/write-profile.js';
import { writeToml } from '../../src/profile/toml.js';

// The same cases in every run; set another seed to search further.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_260) });

const built = (options: SandboxOptions, cwd = '/somewhere') => buildPolicy(options, 'x86_64', () => Buffer.from(cwd));
/** Read from another directory than it was written in. */
const reloaded = async (options: SandboxOptions): Promise<Policy> =>
  built((await parseProfile(await writeProfile(built(options).parsed))).sandbox, '/elsewhere').policy;

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((each) => each.replaceAll('\0', '0').replace(/[\ud800-\udfff]/g, 's'));
const path = text.filter((each) => each !== '');
const grant = fc.oneof(path, path.map((each) => Buffer.from(`/${each}`)), fc.record({ path, optional: fc.boolean() }));
const port = fc.integer({ min: 1, max: 65535 });
const ranges = fc.array(fc.oneof(port, fc.integer({ min: 1, max: 65_000 }).chain((low) => fc.integer({ min: 0, max: 400 }).map((more) => `${low}-${low + more}`)), port.map(String)), { maxLength: 6 });
const count = fc.integer({ min: 1, max: 8000 });
const when = <T>(value: T): fc.Arbitrary<T> => fc.constant(value);

const values = {
  fsReadable: fc.array(grant, { maxLength: 4 }),
  fsWritable: fc.array(grant, { maxLength: 4 }),
  netAllow: fc.array(fc.oneof(when('*'), when('tcp://*'), port.map((each) => `:${each}`), fc.tuple(port, port).map(([a, b]) => `tcp://*:${a},${b}`)), { maxLength: 4 }),
  netAllowBind: fc.oneof(ranges, when(['*']), when([0])),
  env: fc.dictionary(fc.oneof(when('__proto__'), when('constructor'), path.map((each) => each.replaceAll('=', '-'))), text, { maxKeys: 5 }),
  cleanEnv: fc.boolean(),
  cwd: path,
  user: fc.record({ uid: fc.nat(0xfffffffe), gid: fc.nat(0xfffffffe) }),
  noCoredump: fc.boolean(),
  noHugePages: fc.boolean(),
  noRandomizeMemory: fc.boolean(),
  maxMemory: fc.oneof(fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }), fc.constantFrom('512M', '1T', 4096, '1536k')),
  onMemoryExceeded: fc.constantFrom('kill' as const, 'enomem' as const),
  maxProcesses: fc.oneof(fc.integer({ min: 1, max: 0xffffffff }), when(64)),
  maxCpu: fc.integer({ min: 1, max: 100 }),
  cgroup: fc.oneof(when('none'), path.map((each) => `/${each}`)),
  maxOpenFiles: count,
  cpuCores: fc.array(fc.nat(8000), { minLength: 1, maxLength: 5 }),
  numCpus: count,
  gpuDevices: fc.oneof(when('all' as const), fc.array(fc.nat(9), { maxLength: 3 })),
  randomSeed: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  timeStart: fc.oneof(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), fc.double({ min: 0, max: 4e9, noNaN: true }), when('2000-01-01T00:00:00.000000001Z')),
  timeFrozen: fc.boolean(),
  shiftFileTimes: fc.boolean(),
  machineId: when('0123456789abcdef0123456789abcdef'),
  deterministicDirs: fc.boolean(),
  extraAllowSyscalls: fc.subarray(['sysv_ipc', 'posix_mq', 'ptrace']),
  extraDenySyscalls: fc.subarray(['socket', 'openat', 'ptrace', 'uname']),
  noSupervisor: fc.boolean(),
} satisfies { [Name in OptionName]?: fc.Arbitrary<SandboxOptions[Name]> };

/** Needed beside an option for it to make sense. */
const company: SandboxOptions = { maxMemory: '1G', timeStart: '2000-01-01T00:00:00Z' };

describe('toProfile', () => {
  it('is tried with every option that a profile has', () => {
    expect(Object.keys(values).sort()).toEqual(OPTION_NAMES.filter((name) => optionNamed(name).profile !== undefined).sort());
  });

  it.each(Object.keys(values) as (keyof typeof values)[])('keeps %s', async (name) => {
    await fc.assert(fc.asyncProperty(values[name], async (value) => {
      const alone = { [name]: value } as SandboxOptions;
      const options = sensible(alone) ? alone : { ...company, ...alone };
      expect(await reloaded(options)).toEqual(built(options).policy);
    }), { numRuns: 60 });
  });

  it('keeps all of them together', async () => {
    await fc.assert(fc.asyncProperty(fc.record(values, { requiredKeys: [] }), async (options) => {
      fc.pre(sensible(options as SandboxOptions));
      expect(await reloaded(options as SandboxOptions)).toEqual(built(options as SandboxOptions).policy);
    }), { numRuns: 150, maxSkipsPerRun: 100 });
  });

  it('leaves out what is at its default, and needs nothing written for nothing', async () => {
    expect(await new Sandbox().toProfile()).toBe('');
    expect(await new Sandbox({
      fsReadable: [], env: {}, cleanEnv: false, maxProcesses: 64, maxCpu: 100, noSupervisor: false, keepCapabilities: false, handlers: [], disable: [],
    }).toProfile()).toBe('');
  });

  it('reads well', async () => {
    const sandbox = new Sandbox({
      fsReadable: ['/usr', { path: '/lib64', optional: true }], netAllow: [':443'], netAllowBind: [8080, '9000,9001,9002'], env: { LANG: 'C' },
      maxMemory: 1 << 30, user: '1:2', timeStart: new Date(0), randomSeed: 7,
    });
    expect(await sandbox.toProfile()).toBe(`[filesystem]
read = [ "/usr", { path = "/lib64", optional = true } ]

[network]
allow = [ "tcp://*:443" ]
allow_bind = [ 8080, "9000-9002" ]

[program]
uid = 1
gid = 2

[program.env]
LANG = "C"

[limits]
memory = "1G"

[determinism]
random_seed = 7
time_start = "1970-01-01T00:00:00Z"
`);
  });

  it('writes the paths that relative ones stood for when the options were read', async () => {
    const { sandbox } = await parseProfile(await new Sandbox({ fsReadable: ['a/../b'], cwd: '.' }).toProfile());
    expect(sandbox).toEqual({ fsReadable: [`${process.cwd()}/a/../b`], cwd: `${process.cwd()}/.` });
  });

  it('is of the options as they were, whatever the caller does to theirs', async () => {
    const fsReadable = ['/usr'];
    const sandbox = new Sandbox({ fsReadable });
    fsReadable.push('/');
    expect((await parseProfile(await sandbox.toProfile())).sandbox).toEqual({ fsReadable: ['/usr'] });
  });

  it('refuses what no profile can hold, all at once, rather than be another policy', async () => {
    const options: SandboxOptions = {
      keepCapabilities: true, name: 'job', allowDegraded: ['net-tcp'], disable: ['signal-scope'], fsReadable: ['/usr', Buffer.from([0x2f, 0xff])],
      handlers: [{ syscall: 'uname', handler: () => { throw new Error('never called'); } }],
    };
    const error: unknown = await new Sandbox(options).toProfile().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues.map((issue) => issue.path)).toEqual(['fsReadable', 'keepCapabilities', 'name', 'allowDegraded', 'disable', 'handlers']);
  });
});

describe('parseProfile', () => {
  const toml: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.string(), fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.bigInt({ min: 0n, max: 1n << 62n }), fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
      fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(fc.string({ maxLength: 4 }), tie('value'), { maxKeys: 3 }), fc.constantFrom('/usr', ':443', '1G', 'none', 'all', 8080)),
  })).value;
  const keys = optionFields().flatMap(({ profile: { section, key } }) => [key].flat().map((each) => [section, each] as const));

  it('takes nothing that Sandbox would not take as the value of an option', async () => {
    let taken = 0;
    await fc.assert(fc.asyncProperty(fc.constantFrom(...keys), toml, async ([section, key], value) => {
      const document = await writeToml({ [section]: { [key]: value } } as never);
      try {
        const { sandbox } = await parseProfile(document);
        taken++;
        expect(Object.keys(sandbox)).toHaveLength(1);
        // Alone it may lack its company, which is for Sandbox to say.
        try {
          parseOptions({ ...company, ...sandbox });
        } catch (error) {
          expect((error as ConfigError).issues.map((issue) => issue.path)).toEqual(['noSupervisor']);
        }
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        for (const issue of error.issues) expect(issue.path).toMatch(new RegExp(`^\\[${section}\\]\\.(${key}|uid|gid)`));
      }
    }), { numRuns: 3000 });
    expect(taken).toBeGreaterThan(100);
  });

  it('fails for any text by a ProfileError, if at all', async () => {
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('[limits]', '[program.env]', 'memory = "1G"', 'A = 1', '[[filesystem]]', 'read = ["/"]', 'a.b.c = 07:00:00', 'x = 1979-05-27T00:32:00.9-07:00'));
    await fc.assert(fc.asyncProperty(fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n')), async (document) => {
      await parseProfile(document).catch((error: unknown) => expect(error).toBeInstanceOf(ProfileError));
    }), { numRuns: 1000 });
  });
});

function sensible(options: SandboxOptions): boolean {
  try {
    parseOptions(options);
    return true;
  } catch {
    return false;
  }
}
