import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { RunOptions, SandboxOptions } from '../../../src/index.js';
import { box, inContainer, python, targets } from './support.js';

interface State {
  uid: number;
  gid: number;
  groups: number[];
  cwd: string;
  nofile: [number, number];
  core: [number, number];
  cpus: number[];
  thp: string | undefined;
  ignored: string;
  blocked: string;
  capabilities: string[];
  noNewPrivs: string;
  session: boolean;
  group: boolean;
  personality: string;
  environment: Record<string, string>;
}

const program = ['-E', '-s', `${targets}/state.py`];

async function state(options: SandboxOptions = {}, call: RunOptions = {}): Promise<State> {
  const { stdout, stderr, exitCode } = await box(options).run([python, ...program], { input: '', ...call });
  expect([stderr.toString(), exitCode]).toEqual(['', 0]);
  return JSON.parse(stdout.toString()) as State;
}

/** The same outside of a sandbox. */
const outside = JSON.parse(spawnSync(python, program, { encoding: 'utf8' }).stdout) as State;

/** Python itself ignores these two; what it was started with is for a shell to say. */
const PYTHON_IGNORES = (1n << 12n) | (1n << 24n); // SIGPIPE, SIGXFSZ

describe('a program', () => {
  it('has a session of its own, no capability and no_new_privs', async () => {
    const { session, group, capabilities, noNewPrivs } = await state();
    expect({ session, group, noNewPrivs }).toEqual({ session: true, group: true, noNewPrivs: '1' });
    // The bounding set can be emptied only by whoever has CAP_SETPCAP; without, there is nothing to regain.
    const bounding = process.geteuid!() === 0 ? '0000000000000000' : outside.capabilities[3];
    expect(capabilities).toEqual([...Array<string>(3).fill('0000000000000000'), bounding, '0000000000000000']);
  });

  it('ignores and blocks no signal', async () => {
    const { ignored, blocked } = await state();
    expect(BigInt(`0x${ignored}`) & ~PYTHON_IGNORES).toBe(0n);
    expect(blocked).toBe('0000000000000000');
    // SIGPIPE ends it silently, which an ignored one would not: Node ignores it.
    const { stdout } = await box().run(['/bin/sh', '-c', 'yes | head -n 1; grep -h SigIgn /proc/self/status']);
    expect(stdout.toString()).toBe('y\nSigIgn:\t0000000000000000\n');
  });

  it('ignores and blocks no signal either when its supervisor was started with all of them so', () => {
    const script = `import os, signal, sys
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)))
os.execv(sys.argv[1], sys.argv[1:])`;
    const { stdout, status } = spawnSync(python, ['-c', script, process.execPath, `${targets}/one-run.mjs`,
      '/bin/sh', '-c', 'grep -E "Sig(Ign|Blk)" /proc/self/status; kill -HUP $$'], { encoding: 'utf8', timeout: 20_000 });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      stdout: 'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n', signal: 'SIGHUP', exitCode: null,
    });
  });

  it('inherits limits, cores, directory and user', async () => {
    const { uid, gid, nofile, core, cpus: cores, cwd } = await state();
    expect({ uid, gid, nofile, core, cores, cwd }).toEqual({
      uid: outside.uid, gid: outside.gid, nofile: outside.nofile, core: outside.core, cores: outside.cpus, cwd: outside.cwd,
    });
  });
});

describe('maxOpenFiles', () => {
  it('is the soft and the hard limit', async () => {
    expect((await state({ maxOpenFiles: 64 })).nofile).toEqual([64, 64]);
  });

  it('is a cap and no grant', async () => {
    const [soft] = outside.nofile;
    expect((await state({ maxOpenFiles: 2_000_000_000 })).nofile).toEqual([soft, soft]);
  });

  it('of 12 still starts a program', async () => {
    expect(await box({ maxOpenFiles: 12 }).run(['/bin/true'])).toMatchObject({ exitCode: 0 });
  });

  it('fails a start that it leaves no descriptor for, and says that it does', async () => {
    await expect(box({ maxOpenFiles: 3 }).run(['/bin/true'])).rejects.toMatchObject({
      code: 'ERR_SANDLOCK_SECCOMP', errno: -24, message: expect.stringContaining('maxOpenFiles') as string });
  });

  it('holds', async () => {
    const script = 'import os\ntry:\n  while True: os.dup(0)\nexcept OSError as e: print(e.errno, max(map(int, os.listdir("/proc/self/fd"))) if 0 else "")';
    expect((await box({ maxOpenFiles: 20 }).run([python, '-c', script])).text().trim()).toBe('24');
  });
});

describe('cpuCores', () => {
  const core = outside.cpus.at(-1)!;

  it('places the program', async () => {
    expect((await state({ cpuCores: [core] })).cpus).toEqual([core]);
  });

  it('that this machine does not have are refused', async () => {
    const missing = Math.max(cpus().length, 64) + 1000;
    await expect(box({ cpuCores: [missing] }).run(['/bin/true'])).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CHILD_SETUP', step: 'affinity' });
  });
});

describe('noCoredump', () => {
  it('sets the limit that feeds neither a file nor a pipe handler', async () => {
    const limit = outside.core[1] === 0 ? 0 : 1;
    expect((await state({ noCoredump: true })).core).toEqual([limit, limit]);
  });
});

describe('noHugePages', () => {
  it.skipIf(outside.thp === undefined)('switches them off [needs THP_enabled in /proc/pid/status, Linux 5.0]', async () => {
    expect((await state({ noHugePages: true })).thp).toBe('0');
    expect((await state()).thp).toBe('1');
  });
});

describe('noRandomizeMemory', () => {
  const map = ['/bin/sh', '-c', 'grep -E "stack|libc|heap" /proc/self/maps | cut -d" " -f1'];

  it.runIf(inContainer)('is refused before the program runs where a container denies personality(2) [needs a container]', async () => {
    await expect(box({ noRandomizeMemory: true }).run(map)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CHILD_SETUP' });
    expect((await box().run(map)).exitCode).toBe(0);
  });

  it.skipIf(inContainer)('gives the same addresses each time [needs no container]', async () => {
    const fixed = box({ noRandomizeMemory: true });
    const first = (await fixed.run(map)).text();
    expect(first.length).toBeGreaterThan(20);
    expect((await fixed.run(map)).text()).toBe(first);
    expect((await box().run(map)).text()).not.toBe((await box().run(map)).text());
  });
});

describe('the environment', () => {
  it('is the caller\'s, then the sandbox\'s, then the call\'s', async () => {
    process.env['FROM_CALLER'] = 'caller';
    const { environment } = await state({ env: { A: 'sandbox', B: 'sandbox' } }, { env: { B: 'call', EMPTY: '' } });
    delete process.env['FROM_CALLER'];
    expect(environment).toMatchObject({ FROM_CALLER: 'caller', A: 'sandbox', B: 'call', EMPTY: '' });
  });

  it('is small when clean', async () => {
    process.env['SECRET'] = 'secret';
    const { environment } = await state({ cleanEnv: true, env: { A: '1' } });
    delete process.env['SECRET'];
    const allowed = ['PATH', 'HOME', 'USER', 'TERM', 'LANG', 'A', 'LC_CTYPE'];
    expect(Object.keys(environment).filter((name) => !allowed.includes(name))).toEqual([]);
    expect(environment).toMatchObject({ PATH: process.env['PATH'], A: '1' });
  });
});

describe('cwd', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cwd-')));

  it('is that of the sandbox or of the call, also relative', async () => {
    const before = process.cwd();
    process.chdir(join(folder, '..'));
    try {
      const name = folder.split('/').at(-1)!;
      const relative = box({ cwd: name });
      process.chdir('/');
      expect((await relative.run(['/bin/pwd'])).text()).toBe(folder);
      expect((await relative.run(['/bin/pwd'], { cwd: 'usr' })).text()).toBe('/usr');
      expect((await relative.run(['/bin/pwd'], { cwd: '/etc' })).text()).toBe('/etc');
    } finally {
      process.chdir(before);
      rmdirSync(folder);
    }
  });
});

const namespaces = existsSync('/proc/self/ns/user') && spawnSync('unshare', ['-U', 'true']).status === 0;

describe('user', () => {
  it.skipIf(!namespaces)('is what the program sees itself as, without a right [needs user namespaces]', async () => {
    const { uid, gid, capabilities, environment } = await state({ user: { uid: 1234, gid: 2345 } });
    expect({ uid, gid }).toEqual({ uid: 1234, gid: 2345 });
    expect(capabilities).toEqual(Array(5).fill('0000000000000000'));
    expect(environment).toEqual((await state()).environment);
  });

  it.skipIf(!namespaces)('may be root, which may nothing more [needs user namespaces]', async () => {
    const { uid, gid, capabilities } = await state({ user: '0:0' });
    expect({ uid, gid }).toEqual({ uid: 0, gid: 0 });
    if (process.getuid!() !== 0) expect(capabilities).toEqual(Array(5).fill('0000000000000000'));
  });

  it.skipIf(!namespaces)('is parked, started, paused and killed like any other [needs user namespaces]', async () => {
    const child = await box({ user: '1:1' }).create(['/bin/sleep', '100']);
    await child.start();
    child.pause();
    child.resume();
    await child.kill();
    expect(await child.wait()).toMatchObject({ reason: 'killed' });
  });

  it('equal to the caller\'s needs no namespace', async () => {
    const { uid } = await state({ user: { uid: process.getuid!(), gid: process.getgid!() } });
    expect(uid).toBe(process.getuid!());
  });
});
