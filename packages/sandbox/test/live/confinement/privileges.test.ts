/** Privileges: capabilities, set-user-id files, and what is left of root. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { u64 } from './bytes.js';
import { call, compiled, confined, describeConfined, granting, isRoot, said, scratch, script, unconfined } from './calls.js';

const AT_FDCWD = -100;
const CAP_CHOWN = 1n << 0n;
const CAP_NET_BIND_SERVICE = 1n << 10n;

/** /proc/self/status of a program, by field. */
async function status(options: SandboxOptions = {}): Promise<Map<string, string>> {
  const steps = [call('openat', AT_FDCWD, '/proc/self/status', 0), call('read', { step: 0 }, Buffer.alloc(4096), 4096)];
  const all = await confined(steps, { ...options, fsReadable: ['/proc'] });
  return fields(all[1]!.memory[0]!.toString('latin1'));
}

function fields(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name, value]) => [name!, value!]));
}

const SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
const sets = (all: Map<string, string>): bigint[] => SETS.map((name) => BigInt(`0x${all.get(name)!}`));
const mine = (): bigint[] => sets(fields(readFileSync('/proc/thread-self/status', 'latin1')));

describeConfined('capabilities', () => {
  it('are in no set that could give any, whoever runs it', async () => {
    const [inheritable, permitted, effective, bounding, ambient] = sets(await status());
    expect([inheritable, permitted, effective, ambient]).toEqual([0n, 0n, 0n, 0n]);
    // Without CAP_SETPCAP nobody can shrink the bounding set, and no_new_privs keeps it from giving any.
    const caller = mine();
    expect(bounding).toBe((caller[2]! >> 8n & 1n) === 1n ? 0n : caller[3]);
  });

  it('are dropped without a supervisor, too', async () => {
    expect(sets(await status({ noSupervisor: true })).slice(0, 3)).toEqual([0n, 0n, 0n]);
  });

  it('that are kept are those of the caller, and of a list those that it names', async () => {
    const caller = mine();
    expect(sets(await status({ keepCapabilities: true }))[2]).toBe(caller[2]);
    const [, permitted, effective, bounding] = sets(await status({ keepCapabilities: ['CAP_NET_BIND_SERVICE', 'CAP_CHOWN'] }));
    const named = (CAP_CHOWN | CAP_NET_BIND_SERVICE) & caller[2]!;
    expect([permitted, effective]).toEqual([named, named]);
    expect(bounding! & ~(CAP_CHOWN | CAP_NET_BIND_SERVICE)).toBe(isRoot ? 0n : caller[3]! & ~(CAP_CHOWN | CAP_NET_BIND_SERVICE));
  });

  it('cannot be had back', async () => {
    const header = Buffer.from('2205082000000000', 'hex'); // _LINUX_CAPABILITY_VERSION_3 is 0x20080522
    const PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_RAISE = 2;
    expect(said(await confined([
      call('capset', header, Buffer.alloc(24, 0xff)), call('prctl', PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0),
      call('setuid', isRoot ? 65533 : 0), call('setgroups', 1, u64(0)),
    ]))).toEqual(['EPERM', 'EPERM', 'EPERM', 'EPERM']);
    expect(said(await confined([call('capset', header, Buffer.alloc(24))]))).toEqual(['ok']);
  });

  it('do not pass for root where a file is somebody else\'s', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), 'text');
    chmodSync(join(folder, 'file'), 0o000);
    const open = [call('openat', AT_FDCWD, join(folder, 'file'), 0)];
    expect(said(await confined(open, { fsWritable: [folder] }))).toEqual(['EACCES']);
    if (isRoot) {
      expect(said(await confined(open, { fsWritable: [folder], keepCapabilities: ['CAP_DAC_OVERRIDE'] }))).toEqual(['ok']);
      expect(said(await confined([call('setuid', 65533)], { keepCapabilities: ['CAP_SETUID'] }))).toEqual(['ok']);
    }
    chmodSync(join(folder, 'file'), 0o600);
    expect(said(await confined(open, { fsWritable: [folder] }))).toEqual(['ok']);
  });

  it('cannot be had from no_new_privs, which stays set', async () => {
    const PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39;
    const all = await confined([call('prctl', PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), call('prctl', PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)]);
    expect([all[0]!.result, all[1]!.error]).toEqual([1, 'EINVAL']);
    expect((await status({ keepCapabilities: true })).get('NoNewPrivs')).toBe('1');
    expect((await status()).get('Seccomp')).toBe('2');
  });
});

describeConfined('set-user-id files', () => {
  const who = [call('geteuid'), call('getegid')];
  const ids = (stdout: string): number[] => stdout.trim().split('\n').map((line) => Number(line.split(' ')[0]));

  it.skipIf(!isRoot)('give their owner\'s rights to nobody [needs root]', async () => {
    const folder = scratch();
    const file = join(folder, 'changes');
    copyFileSync(compiled('calls'), file);
    chownSync(file, 65533, 65532);
    chmodSync(file, 0o6755);
    chmodSync(folder, 0o755);
    const control = spawnSync(file, { input: script(who), encoding: 'utf8' });
    expect(ids(control.stdout)).toEqual([65533, 65532]);
    for (const options of [{}, { keepCapabilities: true }, { noSupervisor: true }]) {
      const result = await new Sandbox({ ...options, fsReadable: [folder] }).run([file], { input: script(who) });
      expect(ids(String(result.stdout))).toEqual([0, 0]);
    }
  });

  it.skipIf(isRoot)('of root do not make root [needs an ordinary user]', async () => {
    // exec sets the ids, so they can be read from outside as soon as su runs; it asks for a password then.
    const uids = (pid: number): string => fields(readFileSync(`/proc/${pid}/status`, 'latin1')).get('Uid')!;
    const uid = process.getuid!();
    const control = spawn('/usr/bin/su', ['-c', 'true'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    const gone = new Promise((resolve) => control.once('close', resolve));
    // Something around the tests may have set no_new_privs; then there is nothing to see beside it.
    const gains = fields(readFileSync('/proc/self/status', 'latin1')).get('NoNewPrivs') === '0';
    expect(uids(control.pid!)).toBe(gains ? `${uid}\t0\t0\t0` : `${uid}\t${uid}\t${uid}\t${uid}`);
    control.stdin.end();
    await gone;
    const system = ['/usr', '/etc', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];
    const seen = new Set<string>();
    for (let i = 0; i < 20 && seen.size === 0; i++) {
      const child = await new Sandbox({ fsReadable: system }).spawn(['/usr/bin/su', '-c', 'true']);
      try {
        seen.add(uids(child.pid!));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // it has given up already
      }
      await child.kill();
      expect((await child.wait()).ok).toBe(false);
    }
    expect([...seen]).toEqual([`${uid}\t${uid}\t${uid}\t${uid}`]);
  });
});

describeConfined('limits that can only go down', () => {
  it('stay down for root', async () => {
    const RLIMIT_NOFILE = 7;
    const limits = (soft: number, hard: number): Buffer => Buffer.concat([u64(soft), u64(hard)]);
    const steps = [
      call('prlimit64', 0, RLIMIT_NOFILE, limits(64, 1 << 20), 0), call('prlimit64', 0, RLIMIT_NOFILE, limits(32, 64), 0),
      call('prlimit64', 0, RLIMIT_NOFILE, limits(64, 64), 0),
    ];
    expect(said(await confined(steps, { maxOpenFiles: 64 }))).toEqual(['EPERM', 'ok', 'ok']);
  });

  it('keep every core dump from being written, to a file or to a handler', async () => {
    const RLIMIT_CORE = 4;
    const read = [call('prlimit64', 0, RLIMIT_CORE, 0, Buffer.alloc(16))];
    const dump = (await confined(read, { noCoredump: true }))[0]!.memory[0]!;
    const inherited = unconfined(read)[0]!.memory[0]!;
    // 0 still feeds a handler behind a pipe; 1 does not. A hard limit of 0 cannot be raised to it.
    const expected = inherited.readBigUInt64LE(8) === 0n ? 0n : 1n;
    expect([dump.readBigUInt64LE(0), dump.readBigUInt64LE(8)]).toEqual([expected, expected]);
    expect((await confined(read))[0]!.memory[0]!.equals(inherited)).toBe(true);
  });

  it('leave no core file behind', async () => {
    const folder = scratch();
    const toFile = /^[^|/%]+$/.test(readFileSync('/proc/sys/kernel/core_pattern', 'latin1').trim());
    const RLIMIT_CORE = 4;
    const hard = unconfined([call('prlimit64', 0, RLIMIT_CORE, 0, Buffer.alloc(16))])[0]!.memory[0]!.readBigUInt64LE(8);
    const steps = [
      call('prlimit64', 0, RLIMIT_CORE, Buffer.concat([u64(hard), u64(hard)]), 0), call('getpid'), call('kill', { step: 1 }, 6),
    ];
    const run = (options: SandboxOptions) => new Sandbox(granting({ ...options, fsWritable: [folder] }))
      .run([compiled('calls')], { input: script(steps), cwd: folder });
    expect(await run({ noCoredump: true })).toMatchObject({ signal: 'SIGABRT' });
    expect(readdirSync(folder)).toEqual([]);
    // Where this machine writes files at all, the same program leaves one.
    await run({});
    expect(readdirSync(folder)).toHaveLength(toFile && hard > 0n ? 1 : 0);
  });
});
