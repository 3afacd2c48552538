/** The name and the id of the machine, by every way there is to ask, and the user that a program sees itself as. */
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

import { ProcessError, Sandbox, type SandboxOptions } from '../../../src/index.js';
import { u64 } from './bytes.js';
import { arch, call, confined, describeConfined, isRoot, said, scratch, unconfined, type Answer, type Step } from './calls.js';

const CWD = -100, O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0o100, O_EXCL = 0o200, O_TRUNC = 0o1000, O_DIRECTORY = 0o200000;
const how = (flags: number, resolve = 0): Buffer => Buffer.concat([u64(flags), u64(0), u64(resolve)]);
const system = ['/usr', '/etc', '/proc', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];

describeConfined('the id of the machine', () => {
  const ID = '0123456789abcdef0123456789abcdef';
  const MACHINES = existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'latin1') : undefined;
  const files = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
  const folders = ['/etc', { path: '/var/lib', optional: true }];
  const PATH_ONLY = 0o10000000;

  /** What can be read after these steps, the last of which opens it; or the errno. */
  async function reads(options: SandboxOptions, ...steps: readonly Step[]): Promise<string> {
    const all = await confined([...steps, call('read', { step: steps.length - 1 }, Buffer.alloc(80), 80)], options);
    const [opened, read] = all.slice(-2) as [Answer, Answer];
    return opened.error || read.error || String(read.memory[0]!.subarray(0, read.result));
  }

  it('is the one that was given, by every spelling and call', async () => {
    const options = { machineId: ID, fsReadable: ['/etc', '/proc', { path: '/var/lib', optional: true }] };
    for (const path of [...files.filter((each) => existsSync(dirname(each))), '/etc//machine-id', '/etc/./machine-id', '/proc/../etc/machine-id', '/proc/self/root/etc/machine-id']) {
      expect(await reads(options, call('openat', CWD, path, O_RDONLY)), path).toBe(`${ID}\n`);
      expect(await reads(options, call('openat2', CWD, path, how(O_RDONLY), 24)), path).toBe(`${ID}\n`);
      if (arch === 'x86_64') expect(await reads(options, call('open', path, O_RDONLY)), path).toBe(`${ID}\n`);
    }
    for (const flags of [O_DIRECTORY, PATH_ONLY]) {
      expect(await reads(options, call('openat', CWD, '/etc', flags), call('openat', { step: 0 }, 'machine-id', O_RDONLY))).toBe(`${ID}\n`);
    }
    expect(await reads(options, call('chdir', '/etc'), call('openat', CWD, 'machine-id', O_RDONLY))).toBe(`${ID}\n`);
    expect(await reads(options, call('openat', CWD, '/etc/machine-id', PATH_ONLY), call('openat', CWD, '/proc/self/fd/63', O_RDONLY))).toBe(`${ID}\n`);
  });

  it('is there where it is granted, and it alone', async () => {
    for (const path of files.filter((each) => existsSync(each))) {
      const open = call('openat', CWD, path, O_RDONLY);
      expect(await reads({ machineId: ID, fsReadable: [path] }, open)).toBe(`${ID}\n`);
      expect(await reads({ machineId: ID, fsReadable: ['/usr'] }, open)).toBe('EACCES');
    }
  });

  it('cannot be written', async () => {
    const open = (flags: number): Step => call('openat', CWD, '/etc/machine-id', flags, 0o600);
    const steps = [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_CREAT | O_EXCL, O_RDONLY].map(open);
    expect(said(await confined(steps, { machineId: ID, fsReadable: ['/etc'] }))).toEqual(['EACCES', 'EACCES', 'EACCES', 'EEXIST', 'ok']);
  });

  it.skipIf(MACHINES === undefined)('is the machine\'s by no way, where another was given [needs machine-id]', async () => {
    const folder = scratch();
    chmodSync(folder, 0o755);
    symlinkSync('/etc/machine-id', join(folder, 'link'));
    symlinkSync('/etc', join(folder, 'etc'));
    for (const fsReadable of [['/etc', folder], ['/'], ['/etc', '/etc/machine-id', folder]]) {
      const low: Step[] = [call('openat', CWD, '/etc', O_DIRECTORY), call('dup3', { step: 0 }, 9, 0)]; // a number that nobody watches
      const ways: Step[][] = [
        [call('openat', CWD, join(folder, 'link'), O_RDONLY)], [call('openat', CWD, join(folder, 'etc/machine-id'), O_RDONLY)],
        [...low, call('openat', 9, 'machine-id', O_RDONLY)], [...low, call('fchdir', 9), call('openat', CWD, 'machine-id', O_RDONLY)],
      ];
      for (const way of ways) {
        expect(await reads({ machineId: ID, fsReadable }, ...way)).toMatch(new RegExp(`^(EACCES|${ID}\n)$`));
        // Beside it.
        expect(await reads({ fsReadable }, ...way)).toBe(MACHINES);
      }
    }
  });

  it('is the machine\'s where none was given', async () => {
    for (const path of files) {
      expect(await reads({ fsReadable: folders }, call('openat', CWD, path, O_RDONLY))).toBe(existsSync(path) ? readFileSync(path, 'latin1') : 'ENOENT');
    }
  });
});

describeConfined('the host name', () => {
  const options: SandboxOptions = { name: 'sealed', fsReadable: ['/etc', '/proc'] };

  async function reads(open: Step, more: readonly Step[] = []): Promise<string> {
    const steps = [...more, open, call('read', { step: more.length }, Buffer.alloc(80), 80)];
    const all = await confined(steps, { ...options, fsReadable: ['/etc', '/proc'] });
    const last = all.at(-1)!;
    return last.error || String(last.memory[0]!.subarray(0, last.result));
  }

  it('that uname says is the sandbox\'s, and the rest is the kernel\'s', async () => {
    const uname = [call('uname', Buffer.alloc(390))];
    const [inside] = await confined(uname, options);
    const [beside] = unconfined(uname);
    const field = (bytes: Buffer, i: number): string => String(bytes.subarray(65 * i, 65 * (i + 1))).replace(/\0.*$/s, '');
    expect(field(inside!.memory[0]!, 1)).toBe('sealed');
    expect(field(beside!.memory[0]!, 1)).toBe(hostname());
    for (const i of [0, 2, 3, 4, 5]) expect(field(inside!.memory[0]!, i)).toBe(field(beside!.memory[0]!, i));
    expect((await new Sandbox({ name: 'sealed', fsReadable: system }).run(['uname', '-n'])).text()).toBe('sealed');
    expect((await new Sandbox({ fsReadable: system }).run(['uname', '-n'], { name: 'for-this-run' })).text()).toBe('for-this-run');
  });

  it('is what an inherited HOSTNAME says, unless another is set', async () => {
    const before = process.env['HOSTNAME'];
    process.env['HOSTNAME'] = 'machine';
    try {
      const shows = async (more: SandboxOptions) => (await new Sandbox({ name: 'sealed', fsReadable: system, ...more }).run(['printenv', 'HOSTNAME'])).text();
      expect([await shows({}), await shows({ env: { HOSTNAME: 'chosen' } }), await shows({ cleanEnv: true })]).toEqual(['sealed', 'chosen', '']);
    } finally {
      if (before === undefined) delete process.env['HOSTNAME'];
      else process.env['HOSTNAME'] = before;
    }
  });

  it('stands in /etc/hostname and the kernel\'s file, by every spelling and call', async () => {
    for (const path of ['/etc/hostname', '/etc//hostname', '/etc/./hostname', '/usr/../etc/hostname', '//etc/hostname', '/proc/sys/kernel/hostname']) {
      expect(await reads(call('openat', CWD, path, O_RDONLY))).toBe('sealed\n');
      expect(await reads(call('openat', -1, path, O_RDONLY))).toBe('sealed\n');
      expect(await reads(call('openat2', CWD, path, how(O_RDONLY), 24))).toBe('sealed\n');
      if (arch === 'x86_64') expect(await reads(call('open', path, O_RDONLY))).toBe('sealed\n');
    }
    expect(await reads(call('openat', { step: 0 }, 'hostname', O_RDONLY), [call('openat', CWD, '/etc', O_DIRECTORY)])).toBe('sealed\n');
    expect(await reads(call('openat', { step: 0 }, 'hostname', O_RDONLY), [call('openat', CWD, '/etc', 0o10000000)])).toBe('sealed\n');
    expect(await reads(call('openat2', { step: 0 }, 'hostname', how(O_RDONLY, 8), 24), [call('openat', CWD, '/etc', O_DIRECTORY)])).toBe('sealed\n');
    expect(await reads(call('openat', CWD, 'hostname', O_RDONLY), [call('chdir', '/etc')])).toBe('sealed\n');
    expect(readFileSync('/etc/hostname', 'latin1')).not.toBe('sealed\n');
  });

  it('cannot be written', async () => {
    const open = (flags: number): Step => call('openat', CWD, '/etc/hostname', flags, 0o600);
    expect(said(await confined([open(O_WRONLY), open(O_RDWR), open(O_RDONLY | O_TRUNC), open(O_CREAT | O_EXCL), open(O_DIRECTORY), open(O_CREAT)], options)))
      .toEqual(['EACCES', 'EACCES', 'EACCES', 'EEXIST', 'ENOTDIR', 'ok']);
    const hostnameBytes = Buffer.from('x');
    expect(said(await confined([call('sethostname', hostnameBytes, 1)], { ...options, keepCapabilities: true }))).toEqual(['EPERM']);
  });

  it('leaves other files of that name alone', async () => {
    expect(await reads(call('openat', CWD, '/proc/self/comm', O_RDONLY))).toBe('calls\n');
    expect(said(await confined([call('openat', CWD, '/tmp/hostname', O_RDONLY), call('openat', CWD, '/etc/no-hostname', O_RDONLY)], options)))
      .toEqual([expect.stringMatching(/EACCES|ENOENT/), 'ENOENT']);
  });

  it('is answered for memory that cannot be written with EFAULT', async () => {
    expect(said(await confined([call('uname', 8), call('uname', Buffer.alloc(390))], options))).toEqual(['EFAULT', 'ok']);
    expect(said(unconfined([call('uname', 8)]))).toEqual(['EFAULT']);
  });
});

describeConfined('the user', () => {
  const ids = [call('getuid'), call('geteuid'), call('getgid'), call('getegid')];
  const results = async (options: SandboxOptions): Promise<number[]> => (await confined(ids, options)).map(({ result }) => result);

  it('is the caller when nothing is said, or the same is said', async () => {
    const [uid, gid] = [process.getuid!(), process.getgid!()];
    expect(await results({})).toEqual([uid, uid, gid, gid]);
    expect(await results({ user: { uid, gid } })).toEqual([uid, uid, gid, gid]);
  });

  it('is the one that was asked for, with no more rights than before [needs user namespaces]', async (context) => {
    try {
      expect(await results({ user: '1234:5678' })).toEqual([1234, 1234, 5678, 5678]);
    } catch (error) {
      // Where user namespaces are restricted the start fails, and says that this is why.
      if (!(error instanceof ProcessError)) throw error;
      expect(error).toMatchObject({ code: 'ERR_SANDLOCK_CHILD_SETUP', message: expect.stringContaining('user namespace') as string });
      return context.skip();
    }
    expect(await results({ user: { uid: 0, gid: 0 }, noSupervisor: true })).toEqual([0, 0, 0, 0]);
    const status = await confined([
      call('openat', CWD, '/proc/self/status', 0), call('read', { step: 0 }, Buffer.alloc(4096), 4096),
      call('mount', 0, 0, 0, 0, 0), call('sethostname', 'x', 1), call('setuid', 1), call('setgroups', 0, 0), call('openat', CWD, '/etc/passwd', O_RDONLY),
    ], { user: { uid: 0, gid: 0 }, fsReadable: ['/proc'] });
    const text = String(status[1]!.memory[0]);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(text).toMatch(new RegExp(`^${set}:\\s*0{16}$`, 'm'));
    expect(said(status).slice(2)).toEqual([
      'EPERM', 'EPERM', isRoot ? 'EPERM' : expect.stringMatching(/^E(PERM|INVAL)$/), 'EPERM', 'EACCES']);
  });
});
