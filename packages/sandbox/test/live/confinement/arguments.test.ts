/** Calls that are refused for certain arguments, judged by the bits that the kernel uses. */
import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { u64 } from './bytes.js';
import { arch, call, confined, describeConfined, inContainer, isRoot, said, scratch, step, unconfined, type Step } from './calls.js';

const HIGH = 1n << 32n;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

describeConfined('ioctl', () => {
  const TERMINAL = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c, TIOCCONS: 0x541d, TIOCSETD: 0x5423 };
  const NETWORK = {
    SIOCGIFNAME: 0x8910, SIOCGIFCONF: 0x8912, SIOCGIFFLAGS: 0x8913, SIOCGIFADDR: 0x8915, SIOCGIFDSTADDR: 0x8917, SIOCGIFBRDADDR: 0x8919,
    SIOCGIFNETMASK: 0x891b, SIOCGIFMTU: 0x8921, SIOCGIFHWADDR: 0x8927, SIOCGIFINDEX: 0x8933, SIOCGIFTXQLEN: 0x8942,
    SIOCETHTOOL: 0x8946, SIOCGARP: 0x8954, SIOCGIFMAP: 0x8970, SIOCADDRT: 0x890b, SIOCGIWNAME: 0x8b01,
  };
  const BYPASSING = {
    TIOCVHANGUP: 0x5437, BTRFS_IOC_SNAP_CREATE: 0x50009401, BTRFS_IOC_SUBVOL_CREATE: 0x5000940e, BTRFS_IOC_SNAP_DESTROY: 0x5000940f,
    BTRFS_IOC_SNAP_CREATE_V2: 0x50009417, BTRFS_IOC_SUBVOL_CREATE_V2: 0x50009418, BTRFS_IOC_SNAP_DESTROY_V2: 0x5000943f,
    USERFAULTFD_IOC_NEW: 0xaa00,
  };
  const request = (number: number | bigint): Step => call('ioctl', { step: 0 }, number, Buffer.alloc(64));
  const socket = call('socket', AF_UNIX, SOCK_STREAM, 0);

  it('refuses what types into terminals, also behind filled high words', async () => {
    const numbers = Object.values(TERMINAL).flatMap((number) => [number, BigInt(number) | HIGH, BigInt(number) | (0xffffffffn << 32n)]);
    const steps = [socket, ...numbers.map(request)];
    expect(said(await confined(steps)).slice(1)).toEqual(numbers.map(() => 'EPERM'));
    expect(said(unconfined(steps)).slice(1)).not.toContain('EPERM');
  });

  it('refuses what makes subvolumes, hangs up or makes fault handlers, whatever is writable and kept', async () => {
    const steps = [socket, ...Object.values(BYPASSING).map(request)];
    for (const options of [{}, { fsWritable: ['/dev/null'] }, { keepCapabilities: true }]) {
      expect(said(await confined(steps, options)).slice(1)).toEqual(Object.values(BYPASSING).map(() => 'EPERM'));
    }
    expect(said(unconfined(steps)).slice(1)).not.toContain('EPERM');
  });

  it('refuses what asks for interfaces, on any socket', async () => {
    const numbers = Object.values(NETWORK).flatMap((number) => [number, BigInt(number) | HIGH]);
    const steps = [socket, ...numbers.map(request)];
    expect(said(await confined(steps)).slice(1)).toEqual(numbers.map(() => 'EPERM'));
    // The kernel itself tells anybody what interfaces there are.
    expect(said(unconfined([socket, request(NETWORK.SIOCGIFCONF)]))).toEqual(['ok', 'ok']);
  });

  it('leaves a socket\'s and a file\'s own requests alone', async () => {
    const FIONREAD = 0x541b, FIONBIO = 0x5421, FIOCLEX = 0x5451, SIOCATMARK = 0x8905, SIOCOUTQ = 0x5411;
    expect(said(await confined([socket, request(FIONREAD), request(FIONBIO), request(FIOCLEX), request(SIOCOUTQ)])))
      .toEqual(said(unconfined([socket, request(FIONREAD), request(FIONBIO), request(FIOCLEX), request(SIOCOUTQ)])));
    const tcp = [call('socket', 2, SOCK_STREAM, 0), request(SIOCATMARK)];
    expect(said(await confined(tcp, { netAllow: [':9'] }))).toEqual(['ok', 'ok']);
  });
});

describeConfined('prctl', () => {
  const PR_SET_PDEATHSIG = 1, PR_SET_DUMPABLE = 4, PR_GET_DUMPABLE = 3, PR_SET_SECUREBITS = 28, PR_SET_PTRACER = 0x59616d61;
  const PR_SET_NAME = 15, PR_GET_PDEATHSIG = 2;

  // With capabilities kept the kernel itself would let root loosen them.
  it.each([{}, { keepCapabilities: true }])('refuses to hide from the supervisor, loosen the capabilities or invite a tracer: %o', async (options) => {
    const steps = [
      call('prctl', PR_SET_DUMPABLE, 0), call('prctl', PR_SET_DUMPABLE, 1), call('prctl', HIGH | 4n, 0),
      call('prctl', PR_SET_SECUREBITS, 0), call('prctl', HIGH | 28n, 0x2f),
      call('prctl', PR_SET_PTRACER, -1), call('prctl', HIGH | BigInt(PR_SET_PTRACER), 1),
    ];
    expect(said(await confined(steps, options))).toEqual(steps.map(() => 'EPERM'));
    expect(said(unconfined(steps)).filter((_, i) => ![3, 4].includes(i))).not.toContain('EPERM');
    const answers = await confined([call('prctl', PR_GET_DUMPABLE), call('prctl', PR_SET_NAME, 'still me')]);
    expect(answers.map(({ result }) => result)).toEqual([1, 0]);
  });

  it('keeps the program bound to the life of its guard', async () => {
    const steps = [
      call('prctl', PR_SET_PDEATHSIG, 0), call('prctl', PR_SET_PDEATHSIG, 15), call('prctl', HIGH | 1n, 0),
      call('prctl', PR_SET_PDEATHSIG, HIGH | 9n), call('prctl', PR_SET_PDEATHSIG, 9),
    ];
    const get = call('prctl', PR_GET_PDEATHSIG, Buffer.alloc(4));
    const answers = await confined([get, ...steps, get]);
    expect(said(answers)).toEqual(['ok', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'ok', 'ok']);
    for (const got of [answers[0]!, answers.at(-1)!]) expect(got.memory[0]!.readUInt32LE()).toBe(9);
    expect(said(unconfined(steps)).slice(0, 3)).toEqual(['ok', 'ok', 'ok']);
  });
});

describeConfined('namespaces', () => {
  const FLAGS = {
    CLONE_NEWNS: 0x00020000, CLONE_NEWCGROUP: 0x02000000, CLONE_NEWUTS: 0x04000000, CLONE_NEWIPC: 0x08000000, CLONE_NEWUSER: 0x10000000,
    CLONE_NEWPID: 0x20000000, CLONE_NEWNET: 0x40000000,
  };
  const CLONE_NEWTIME = 0x80;

  // With capabilities kept the kernel itself would let root make most of them.
  it.each([{}, { keepCapabilities: true }])('are made by no clone, whatever else it asks for: %o', async (options) => {
    const steps = Object.values(FLAGS).flatMap((flag) => [
      call('clone', flag, 0, 0, 0, 0), call('clone', flag | 17, 0, 0, 0, 0), call('clone', HIGH | BigInt(flag) | 0x100n, 0, 0, 0, 0),
      call('clone', (flag | FLAGS.CLONE_NEWUSER) >>> 0, 0, 0, 0, 0),
    ]);
    expect(said(await confined(steps, options))).toEqual(steps.map(() => 'EPERM'));
    expect(said(await confined([step('sleeper'), call('kill', { step: 0 }, 9)], options))).toEqual(['ok', 'ok']);
  });

  it('are left alone by unshare and setns', async () => {
    const all = [...Object.values(FLAGS), CLONE_NEWTIME, 0];
    const steps = [...all.map((flag) => call('unshare', flag)), call('setns', 0, 0), call('setns', 0, FLAGS.CLONE_NEWUSER)];
    expect(said(await confined(steps))).toEqual(steps.map(() => 'EPERM'));
    expect(said(unconfined([call('unshare', 0), call('setns', 0, 0)]))).toEqual(inContainer ? ['EPERM', 'EPERM'] : ['ok', 'EINVAL']);
  });
});

describeConfined('device nodes', () => {
  const S_IFCHR = 0o020000, S_IFBLK = 0o060000, S_IFIFO = 0o010000, S_IFREG = 0o100000;
  const AT_FDCWD = -100;

  it.each([{}, { keepCapabilities: true }])('are not made, and FIFOs are: %o', async (options) => {
    const folder = scratch();
    const make = (name: string, mode: number | bigint): Step => call('mknodat', AT_FDCWD, join(folder, name), mode, 0x0103);
    const steps = [
      make('char', S_IFCHR | 0o600), make('block', S_IFBLK | 0o600), make('char-high', HIGH | BigInt(S_IFCHR | 0o600)),
      make('fifo', S_IFIFO | 0o600), make('file', S_IFREG | 0o600),
      ...(arch === 'x86_64' ? [call('mknod', join(folder, 'old'), S_IFCHR | 0o600, 0x0103), call('mknod', join(folder, 'old-fifo'), S_IFIFO | 0o600, 0)] : []),
    ];
    expect(said(await confined(steps, { fsWritable: [folder], ...options })))
      .toEqual(['EPERM', 'EPERM', 'EPERM', 'ok', 'ok', ...(arch === 'x86_64' ? ['EPERM', 'ok'] : [])]);
    expect(lstatSync(join(folder, 'fifo')).isFIFO()).toBe(true);
    expect(() => lstatSync(join(folder, 'char'))).toThrow('ENOENT');
  });

  it.skipIf(!isRoot)('are what root makes otherwise [needs root]', () => {
    const folder = scratch();
    expect(said(unconfined([call('mknodat', AT_FDCWD, join(folder, 'null'), S_IFCHR | 0o600, 0x0103)]))).toEqual(['ok']);
    expect(lstatSync(join(folder, 'null')).isCharacterDevice()).toBe(true);
  });
});

describeConfined('metadata', () => {
  const AT_FDCWD = -100;
  const O_RDONLY = 0;
  const FS_IOC_SETFLAGS = 0x40086602;

  const setters = (file: string): Step[] => [
    call('openat', AT_FDCWD, file, O_RDONLY),
    call('fchmodat', AT_FDCWD, file, 0o777), call('fchmod', { step: 0 }, 0o777), call('fchmodat2', AT_FDCWD, file, 0o777, 0),
    call('fchownat', AT_FDCWD, file, -1, -1, 0), call('fchown', { step: 0 }, -1, -1),
    call('utimensat', AT_FDCWD, file, 0, 0), call('utimensat', { step: 0 }, 0, 0, 0),
    call('setxattr', file, 'user.a', 'b', 1, 0), call('fsetxattr', { step: 0 }, 'user.a', 'b', 1, 0), call('lsetxattr', file, 'user.a', 'b', 1, 0),
    call('removexattr', file, 'user.b'), call('fremovexattr', { step: 0 }, 'user.b'), call('lremovexattr', file, 'user.b'),
    call('ioctl', { step: 0 }, FS_IOC_SETFLAGS, u64(0)), call('ioctl', { step: 0 }, HIGH | BigInt(FS_IOC_SETFLAGS), u64(0)),
    ...(arch === 'x86_64' ? [
      call('chmod', file, 0o777), call('chown', file, -1, -1), call('lchown', file, -1, -1), call('utime', file, 0), call('utimes', file, 0),
      call('futimesat', AT_FDCWD, file, 0),
    ] : []),
  ];

  it('of a readable file cannot be changed while nothing is writable, not even by its owner', async () => {
    const folder = scratch();
    const file = join(folder, 'file');
    writeFileSync(file, 'text', { mode: 0o644 });
    const before = lstatSync(file);
    const answers = said(await confined(setters(file), { fsReadable: [folder] }));
    expect(answers).toEqual(['ok', ...answers.slice(1).map(() => 'EPERM')]);
    const after = lstatSync(file);
    expect([after.mode, after.ctimeMs, after.mtimeMs]).toEqual([before.mode, before.ctimeMs, before.mtimeMs]);
  });

  it('can be changed where something is writable', async () => {
    const folder = scratch();
    const file = join(folder, 'file');
    writeFileSync(file, 'text', { mode: 0o644 });
    const answers = said(await confined(setters(file), { fsWritable: [folder] }));
    expect(answers.slice(0, 3)).toEqual(['ok', 'ok', 'ok']);
    expect(lstatSync(file).mode & 0o777).toBe(0o777);
  });
});
