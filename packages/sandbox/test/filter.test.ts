/**
 * The filter against an oracle.
 *
 * The oracle is written from the tables of the kernel's and the blocklist's documentation as plain set look-ups
 * and comparisons, and shares no code with the filter. Both judge the same calls, and every verdict must agree.
 */
import {
  arg, arg32, AUDIT_ARCH, compileFilter, constantAllows, simulator, seccompDataWords, syscallName, syscallNames, syscallNumber, errnoName,
  decodeAction, type Arch, type ArgCondition,
} from '@sandlock/bpf';
import { OTHER_PROCESS_CALLS } from '@sandlock/builtins';
import { describe, expect, it } from 'vitest';

import { ConfigError } from '../src/errors.js';
import { describeFilter, notifiedCalls, type NotifiedCalls } from '../src/filter/describe-filter.js';
import { requiredFamilies } from '../src/filter/required-families.js';
import { landlockPlan } from '../src/landlock/landlock-plan.js';
import type { SandboxOptions } from '../src/options/option-table.js';
import { buildPolicy } from '../src/policy/build-policy.js';

const ARCHES: readonly Arch[] = ['x86_64', 'aarch64', 'riscv64'];

interface Setting {
  options?: SandboxOptions;
  arch?: Arch;
  abi?: number;
  notified?: NotifiedCalls;
  families?: string[];
}

function filterOf({ options = {}, arch = 'x86_64', abi = 7, notified = new Map(), families = [] }: Setting) {
  const { policy } = buildPolicy(options, arch);
  const protections = landlockPlan(policy, abi).statuses;
  return compileFilter(describeFilter(policy, notified, { protections, families }));
}

/** ALLOW, NOTIFY, KILL, or an errno's name. */
type Judge = (call: string | number, args?: readonly (number | bigint)[], onArch?: Arch | number) => string;

function judge(setting: Setting): Judge {
  const arch = setting.arch ?? 'x86_64';
  const run = simulator(filterOf(setting));
  return (call, args = [], onArch = arch) => {
    const nr = typeof call === 'number' ? call : syscallNumber(arch, call)!;
    const action = decodeAction(run(seccompDataWords({ nr, arch: onArch, args })));
    switch (action.type) {
      case 'allow': return 'ALLOW';
      case 'userNotif': return 'NOTIFY';
      case 'killProcess': return 'KILL';
      case 'errno': return errnoName(action.errno)!;
      default: return action.type;
    }
  };
}

const always = (arch: Arch, ...names: string[]): NotifiedCalls =>
  new Map(names.map((name) => [syscallNumber(arch, name)!, [[]]]));

// The default blocklist as its documentation lists it.
const BLOCKLIST = `
  mount umount2 pivot_root swapon swapoff reboot sethostname setdomainname kexec_load init_module finit_module delete_module bpf
  unshare setns perf_event_open ptrace process_vm_readv process_vm_writev lookup_dcookie userfaultfd keyctl add_key request_key
  open_by_handle_at name_to_handle_at ioperm iopl quotactl acct nfsservctl io_uring_setup io_uring_enter io_uring_register personality
  shmget shmat shmdt shmctl msgget msgsnd msgrcv msgctl semget semop semctl semtimedop
  fsopen fsconfig fsmount fspick move_mount open_tree open_tree_attr mount_setattr umount chroot kexec_file_load quotactl_fd
  fanotify_init syslog vhangup settimeofday clock_settime clock_adjtime adjtimex pidfd_getfd process_madvise process_mrelease kcmp
  move_pages migrate_pages memfd_secret statmount listmount uselib sysfs ustat _sysctl modify_ldt vm86 vm86old create_module
  get_kernel_syms query_module mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr fchroot listns
`.trim().split(/\s+/);

const NO_SUPERVISOR_BLOCKLIST = `
  swapon swapoff reboot kexec_load init_module finit_module delete_module perf_event_open bpf ioperm iopl
  io_uring_setup io_uring_enter io_uring_register
  shmget shmat shmdt shmctl msgget msgsnd msgrcv msgctl semget semop semctl semtimedop
  kexec_file_load create_module get_kernel_syms query_module mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
`.trim().split(/\s+/);

const SETTERS = `
  chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat utime utimes futimesat utimensat setxattr lsetxattr fsetxattr setxattrat
  removexattr lremovexattr fremovexattr removexattrat file_setattr
`.trim().split(/\s+/);

/** What each call answers when all its registers are 0: nothing is a request, a flag or a process. */
function oracle(name: string | undefined, { supervised, writable }: { supervised: boolean; writable: boolean }): string {
  if (name === undefined) return 'ALLOW';
  if (name === 'clone3') return 'ENOSYS';
  if ((supervised ? BLOCKLIST : NO_SUPERVISOR_BLOCKLIST).includes(name)) return 'EPERM';
  if (!writable && SETTERS.includes(name)) return 'EPERM';
  if (name === 'socket' || name === 'socketpair') return 'EAFNOSUPPORT'; // AF_UNSPEC
  if (name === 'listen') return 'EACCES';
  if (name === 'connect' && !writable) return 'EACCES';
  return 'ALLOW';
}

describe.each(ARCHES)('every system call number on %s', (arch) => {
  it.each([
    [true, false], [true, true], [false, false], [false, true],
  ])('agrees with the look-up (supervised %j, something writable %j)', (supervised, writable) => {
    const options: SandboxOptions = { noSupervisor: !supervised, fsWritable: writable ? ['/w'] : [] };
    const answer = judge({ options, arch });
    for (let nr = 0; nr < 1200; nr++) {
      const name = syscallName(arch, nr);
      expect(`${nr} ${name} ${answer(nr)}`).toBe(`${nr} ${name} ${oracle(name, { supervised, writable })}`);
    }
  });

  it('kills calls of other architectures and refuses x32', () => {
    const answer = judge({ arch });
    const others = Object.values(AUDIT_ARCH).filter((audit) => audit !== AUDIT_ARCH[arch]);
    expect(others.length).toBeGreaterThan(3);
    for (const foreign of [...others, 0, 0xffffffff]) {
      for (let nr = 0; nr < 1200; nr++) expect(answer(nr, [], foreign)).toBe('KILL');
    }
    if (arch !== 'x86_64') return;
    for (let nr = 0; nr < 1200; nr++) expect(answer(0x40000000 + nr)).toBe('ENOSYS');
    for (const nr of [0x7fffffff, 0x80000000, 0xffffffff]) expect(answer(nr)).toBe('ENOSYS');
  });

  it('agrees with the look-up on what is notified', () => {
    const notified = new Set(['openat', 'uname', 'clone', 'execve', 'exit_group', 'ioctl']);
    const answer = judge({ arch, notified: always(arch, ...notified) });
    for (let nr = 0; nr < 1200; nr++) {
      const name = syscallName(arch, nr);
      const wanted = name !== undefined && notified.has(name) ? 'NOTIFY' : oracle(name, { supervised: true, writable: false });
      expect(`${name} ${answer(nr)}`).toBe(`${name} ${wanted}`);
    }
  });
});

/** Values that are the same to the kernel, which reads the low 32 bits. */
const junk = (value: number): (number | bigint)[] => [value, BigInt(value >>> 0) | 1n << 32n, BigInt(value >>> 0) | 0xffffffffn << 32n];

describe('arguments', () => {
  const answer = judge({ options: { fsWritable: ['/w'] } });
  const bare = judge({});

  it('clone: refuses each namespace flag, with anything above, and lets threads and forks through', () => {
    for (const bit of [17, 25, 26, 27, 28, 29, 30]) {
      for (const flags of junk(2 ** bit)) expect(answer('clone', [flags])).toBe('EPERM');
      for (const flags of junk(2 ** bit + 17)) expect(answer('clone', [flags])).toBe('EPERM');
    }
    const others = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ![17, 25, 26, 27, 28, 29, 30].includes(bit));
    for (const bit of others) expect(answer('clone', [2 ** bit])).toBe('ALLOW');
    expect(answer('clone', [0x7e020000])).toBe('EPERM');
    expect(answer('clone', [0x3d0f00])).toBe('ALLOW'); // pthread_create
    expect(answer('clone', [0x1200011])).toBe('ALLOW'); // fork of glibc
    expect(answer('clone', [0, 0x7e020000])).toBe('ALLOW');
  });

  it('ioctl: refuses what reaches the terminal and the interfaces', () => {
    const single = [
      0x5412, 0x541c, 0x541d, 0x5423, 0x5437,
      0x50009401, 0x5000940e, 0x5000940f, 0x50009417, 0x50009418, 0x4008941a, 0x5000943f, 0xaa00, // btrfs, userfaultfd
    ];
    const network = [
      0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x8921, 0x8927, 0x8933, 0x8942, 0x8946, 0x8954, 0x8970, 0x894c, 0x89f0, 0x8b01,
    ];
    for (const request of [...single, ...network]) for (const value of junk(request)) expect(answer('ioctl', [3, value])).toBe('EPERM');
    const allowed = [
      0x5401, 0x5411, 0x5413, 0x5414, 0x541b, 0x5421, 0x5422, 0x5424, 0x5451, 0x8901, 0x8905, 0x8906, 0x8907, 0x894b, 0x8a00, 0x8afe, 0x8c00,
      0x88ff, 0xc020660b, 0x540e, 0x40049409, 0x4020940d, 0xc0189436, // the last: FICLONE, FICLONERANGE, FIDEDUPERANGE
    ];
    for (const request of allowed) for (const value of junk(request)) expect(answer('ioctl', [3, value])).toBe('ALLOW');
    expect(answer('ioctl', [0x5412, 0x5401, 0x5412])).toBe('ALLOW');
  });

  it('ioctl: agrees with a look-up over all 16-bit requests', () => {
    const refused = (request: number) => [0x5412, 0x541c, 0x541d, 0x5423, 0x5437, 0xaa00].includes(request)
      || (request >= 0x8908 && request <= 0x89ff && request !== 0x894b) || (request >= 0x8b00 && request <= 0x8bff);
    for (let request = 0; request <= 0xffff; request++) {
      expect(answer('ioctl', [0, request]) === 'EPERM').toBe(refused(request));
    }
  });

  it('ioctl: takes no terminal from its session, where a capability could', () => {
    const TIOCSCTTY = 0x540e;
    for (const keepCapabilities of [true, ['CAP_SYS_ADMIN']]) {
      const capable = judge({ options: { keepCapabilities } });
      for (const value of junk(TIOCSCTTY)) for (const steal of junk(1)) expect(capable('ioctl', [0, value, steal])).toBe('EPERM');
      expect(capable('ioctl', [0, TIOCSCTTY, 0])).toBe('ALLOW');
    }
    expect(judge({ options: { keepCapabilities: ['CAP_CHOWN'] } })('ioctl', [0, TIOCSCTTY, 1])).toBe('ALLOW');
  });

  it('ioctl: sets no file flags while nothing is writable', () => {
    for (const request of [0x40086602, 0x40087602, 0x40086604, 0x401c5820, 0x41009432, 0x800c6613, 0x40806685]) {
      for (const value of junk(request)) expect(bare('ioctl', [3, value])).toBe('EPERM');
      expect(answer('ioctl', [3, request])).toBe('ALLOW');
    }
    expect(bare('ioctl', [3, 0x80086601])).toBe('ALLOW'); // FS_IOC_GETFLAGS
  });

  it('prctl: refuses four options, one of them unless a family judges it, and lets the parent-death signal be SIGKILL', () => {
    for (const option of [4, 28, 0x59616d61]) for (const value of junk(option)) expect(answer('prctl', [value, 1])).toBe('EPERM');
    for (const value of junk(1)) {
      for (const signal of [0, 1, 8, 10, 15, 64, 9n | 1n << 32n]) expect(answer('prctl', [value, signal])).toBe('EPERM');
      expect(answer('prctl', [value, 9])).toBe('ALLOW');
    }
    for (const option of [0, 2, 3, 5, 15, 22, 27, 29, 36, 38, 41, 47, 0x53564d41]) expect(answer('prctl', [option])).toBe('ALLOW');
  });

  it('mknod: makes no devices', () => {
    for (const [call, at] of [['mknod', 1], ['mknodat', 2]] as const) {
      const mode = (value: number | bigint) => answer(call, at === 1 ? [0, value] : [0, 0, value]);
      for (const type of [0o020000, 0o060000]) {
        for (const bits of [0, 0o666, 0o7777]) for (const value of junk(type | bits)) expect(mode(value)).toBe('EPERM');
      }
      for (const type of [0, 0o010000, 0o040000, 0o100000, 0o120000, 0o140000]) {
        for (const value of junk(type | 0o666)) expect(mode(value)).toBe('ALLOW');
      }
    }
  });

  it('seccomp: makes no listener when supervised, and adds filters', () => {
    const outer = judge({ options: { noSupervisor: true } });
    for (const flags of [8, 8 | 1, 8 | 32, 0xff]) {
      for (const value of junk(flags)) for (const op of junk(1)) expect(answer('seccomp', [op, value])).toBe('EBUSY');
      expect(outer('seccomp', [1, flags])).toBe('ALLOW');
    }
    for (const [op, flags] of [[1, 0], [1, 0xf7], [0, 8], [2, 8], [3, 8]]) expect(answer('seccomp', [op!, flags!])).toBe('ALLOW');
  });

  it('send: refuses MSG_FASTOPEN unless every port may be connected to', () => {
    const open = judge({ options: { netAllow: ['*:*'] } });
    const ports = judge({ options: { netAllow: [':443'] } });
    for (const [call, at] of [['sendto', 3], ['sendmmsg', 3], ['sendmsg', 2]] as const) {
      const flags = (value: number | bigint) => Array.from({ length: 6 }, (_, i) => i === at ? value : 0);
      for (const value of [...junk(0x20000000), ...junk(0x20004040)]) {
        expect(answer(call, flags(value))).toBe('EOPNOTSUPP');
        expect(ports(call, flags(value))).toBe('EOPNOTSUPP');
        expect(open(call, flags(value))).toBe('ALLOW');
      }
      for (const value of [...junk(0), ...junk(0x4040), 0xdfffffff]) expect(answer(call, flags(value))).toBe('ALLOW');
      expect(answer(call, Array.from({ length: 6 }, (_, i) => i === at ? 0 : 0x20000000))).toBe('ALLOW');
    }
  });
});

describe('sockets', () => {
  const AF = [0, 1, 2, 3, 9, 10, 11, 15, 16, 17, 29, 31, 38, 40, 43, 44, 45, 255];
  const TYPES = Array.from({ length: 16 }, (_, type) => type);
  const FLAGS = [0, 0x800, 0x80000, 0x80800];
  const PROTOCOLS = [0, 1, 2, 6, 17, 33, 58, 132, 136, 255, 256, 262];

  /** From the table: UNIX, without datagrams where no peer is allowed; INET streams of TCP; datagrams and raw EPERM; else EAFNOSUPPORT. */
  function expected(family: number, type: number, protocol: number, peers = false): string {
    if (family === 1) return (type === 2 || type === 3) && !peers ? 'EPERM' : 'ALLOW'; // raw is datagram there: unix(7)
    if (family !== 2 && family !== 10) return 'EAFNOSUPPORT';
    if (type === 2 || type === 3) return 'EPERM';
    return type === 1 && (protocol === 0 || protocol === 6) ? 'ALLOW' : 'EAFNOSUPPORT';
  }

  it.each([
    [{}, false], [{ noSupervisor: true }, false], [{ netAllow: ['*:*'], netAllowBind: ['*'] }, true], [{ fsWritable: ['/w'] }, true],
  ] as [SandboxOptions, boolean][])('agree with the table under %j', (options, peers) => {
    const answer = judge({ options });
    for (const family of AF) for (const type of TYPES) for (const flags of FLAGS) for (const protocol of PROTOCOLS) {
      expect(`${family} ${type} ${protocol} ${answer('socket', [family, type | flags, protocol])}`)
        .toBe(`${family} ${type} ${protocol} ${expected(family, type, protocol, peers)}`);
    }
  });

  it('are judged by the 32 bits that the kernel reads', () => {
    const answer = judge({});
    for (const [family, type, protocol] of [[1, 1, 0], [2, 1, 0], [10, 1, 6], [2, 2, 0], [2, 3, 1], [16, 3, 0], [2, 1, 262]] as const) {
      for (const a of junk(family)) for (const b of junk(type)) for (const c of junk(protocol)) {
        expect(answer('socket', [a, b, c])).toBe(expected(family, type, protocol));
      }
    }
  });

  it('take no unknown creation flag for a stream', () => {
    const answer = judge({});
    for (let bit = 4; bit < 32; bit++) {
      const wanted = bit === 11 || bit === 19 ? 'ALLOW' : 'EAFNOSUPPORT';
      expect(answer('socket', [2, 1 + 2 ** bit, 0])).toBe(wanted);
      // The type is in the low four bits, whatever stands above them.
      expect(answer('socket', [2, 2 + 2 ** bit, 0])).toBe('EPERM');
    }
  });

  it('reach no peer where neither a file nor a port can be one', () => {
    for (const options of [{}, { noSupervisor: true }, { netAllowBind: [80] }]) {
      const answer = judge({ options });
      expect(answer('connect', [3, 1, 110])).toBe('EACCES');
      for (const family of junk(1)) for (const type of [...junk(2), ...junk(2 | 0x80800), ...junk(3), ...junk(3 | 0x80800)]) {
        expect(answer('socketpair', [family, type, 0])).toBe('EPERM');
        expect(answer('socket', [family, type, 0])).toBe('EPERM');
      }
    }
    for (const options of [{ fsWritable: ['/w'] }, { netAllow: [':443'] }]) {
      const answer = judge({ options });
      expect(answer('connect', [3, 1, 110])).toBe('ALLOW');
      expect(answer('socketpair', [1, 2, 0])).toBe('ALLOW');
      expect(answer('socket', [1, 2, 0])).toBe('ALLOW');
    }
  });

  it('of TCP take no upper layer protocol, which could hide them from Landlock, unless every port is allowed', () => {
    const open = judge({ options: { netAllow: ['*'], netAllowBind: ['*'] } });
    for (const options of [{}, { netAllow: [':443'] }, { netAllow: ['*'] }, { netAllowBind: ['*'] }]) {
      const answer = judge({ options });
      for (const level of junk(6)) for (const name of junk(31)) {
        expect(answer('setsockopt', [3, level, name])).toBe('ENOENT');
        expect(open('setsockopt', [3, level, name])).toBe('ALLOW');
      }
      for (const [level, name] of [[6, 30], [6, 32], [6, 1], [1, 31], [0, 31], [41, 31]]) {
        expect(answer('setsockopt', [3, level!, name!])).toBe('ALLOW');
      }
    }
  });

  it('come in pairs of AF_UNIX only', () => {
    const answer = judge({});
    for (const family of AF) {
      for (const value of junk(family)) expect(answer('socketpair', [value, 1, 0])).toBe(family === 1 ? 'ALLOW' : 'EAFNOSUPPORT');
    }
  });

  it('of TCP are refused where Landlock does not gate TCP and nothing is allowed', () => {
    for (const setting of [{ options: { disable: ['netTcp'] } }, { options: { allowDegraded: ['netTcp', 'fsIoctlDev', 'signalScope',
      'abstractUnixSocketScope'] }, abi: 3 }]) {
      const answer = judge(setting);
      for (const family of [2, 10]) for (const flags of FLAGS) {
        for (const protocol of [0, 6]) expect(answer('socket', [family, 1 | flags, protocol])).toBe('EACCES');
        expect(answer('socket', [family, 2 | flags, 0])).toBe('EPERM');
      }
      expect(answer('socket', [1, 1, 0])).toBe('ALLOW');
      // Nothing could be listening but UNIX sockets.
      expect(answer('listen', [3, 5])).toBe('ALLOW');
    }
    expect(judge({ options: { disable: ['netTcp'], netAllow: ['*'], netAllowBind: ['*'] } })('socket', [2, 1, 0])).toBe('ALLOW');
  });

  it('are judged before a handler is asked', () => {
    const answer = judge({ notified: always('x86_64', 'socket') });
    for (const family of AF) for (const type of TYPES) for (const protocol of PROTOCOLS) {
      const verdict = expected(family, type, protocol);
      expect(answer('socket', [family, type, protocol])).toBe(verdict === 'ALLOW' ? 'NOTIFY' : verdict);
    }
    const some = judge({ notified: new Map([[syscallNumber('x86_64', 'socket')!, [[arg32(2).eq(6)], [arg32(0).eq(1)]]]]) });
    expect(some('socket', [2, 1, 6])).toBe('NOTIFY');
    expect(some('socket', [2, 1, 0])).toBe('ALLOW');
    expect(some('socket', [1, 5, 0])).toBe('NOTIFY');
    expect(some('socket', [2, 2, 6])).toBe('EPERM');
    expect(some('socket', [16, 3, 6])).toBe('EAFNOSUPPORT');
  });
});

describe('listen', () => {
  const listen = always('x86_64', 'listen');

  it('is free where a free port may be bound', () => {
    for (const netAllowBind of [['*'], [0], [0, 80]]) expect(judge({ options: { netAllowBind } })('listen')).toBe('ALLOW');
    expect(judge({ options: { noSupervisor: true, netAllowBind: [0, 80] } })('listen')).toBe('ALLOW');
  });

  it('is asked of its family, and refused without one', () => {
    for (const options of [{}, { netAllowBind: [80] }]) {
      expect(judge({ options, notified: listen, families: ['listen'] })('listen')).toBe('NOTIFY');
      expect(judge({ options })('listen')).toBe('EACCES');
      // A user's handler is no gate: with it alone the filter refuses, and says that the handler would never run.
      expect(() => judge({ options, notified: listen })).toThrow(ConfigError);
    }
  });

  it('is refused where its family wants only some calls, for the others', () => {
    const notified = new Map([[syscallNumber('x86_64', 'listen')!, [[arg32(1).eq(1)]]]]);
    const answer = judge({ notified, families: ['listen'] });
    expect(answer('listen', [3, 1])).toBe('NOTIFY');
    expect(answer('listen', [3, 2])).toBe('EACCES');
  });

  it('needs the family exactly where the filter would refuse it', () => {
    const needs = (options: SandboxOptions, abi = 7) => {
      const { policy } = buildPolicy(options, 'x86_64');
      return requiredFamilies(policy, landlockPlan(policy, abi).statuses);
    };
    expect(needs({})).toEqual(['processes', 'listen']);
    expect(needs({ netAllowBind: [80] })).toEqual(['processes', 'listen']);
    expect(needs({ netAllowBind: [0] })).toEqual(['processes']);
    expect(needs({ disable: ['netTcp'] })).toEqual(['processes']);
    expect(needs({ noSupervisor: true })).toEqual([]);
  });
});

describe('calls on other processes', () => {
  const names = ['prlimit64', 'sched_setaffinity', 'sched_setscheduler', 'sched_setparam', 'sched_setattr'];

  it('are refused without the processes family, and free on the caller itself', () => {
    for (const options of [{}, { noSupervisor: true }]) {
      const answer = judge({ options });
      for (const name of names) {
        for (const pid of [1, 2, 4194304, 0xffffffff, 0x100000001n]) expect(answer(name, [pid, 1, 1])).toBe('EPERM');
        for (const pid of junk(0)) expect(answer(name, [pid, 1, 1])).toBe('ALLOW');
      }
    }
  });

  it('refuse groups and users as a whole', () => {
    for (const setting of [{}, { families: ['processes'], notified: notifiedByFamily() }]) {
      const answer = judge(setting);
      for (const who of [0, 1, 99]) {
        for (const kind of [1, 2]) for (const value of junk(kind)) expect(answer('setpriority', [value, who, 5])).toBe('EPERM');
        for (const kind of [2, 3]) for (const value of junk(kind)) expect(answer('ioprio_set', [value, who, 5])).toBe('EPERM');
      }
      for (const value of junk(0)) {
        expect(answer('setpriority', [value, value, 5])).toBe('ALLOW');
        expect(answer('ioprio_set', [1, value, 5])).toBe('ALLOW');
      }
    }
    expect(judge({})('setpriority', [0, 7, 5])).toBe('EPERM');
    expect(judge({})('ioprio_set', [1, 7, 5])).toBe('EPERM');
  });

  it('are asked of the processes family', () => {
    const answer = judge({ families: ['processes'], notified: notifiedByFamily() });
    for (const name of names) {
      expect(answer(name, [7])).toBe('NOTIFY');
      for (const pid of junk(0)) expect(answer(name, [pid])).toBe('ALLOW');
    }
    expect(answer('setpriority', [0, 7])).toBe('NOTIFY');
    expect(answer('ioprio_set', [1, 7])).toBe('NOTIFY');
  });

  it('stay refused when somebody else wants to be asked', () => {
    const answer = judge({ notified: always('x86_64', ...names) });
    for (const name of names) {
      expect(answer(name, [7])).toBe('EPERM');
      expect(answer(name, [0])).toBe('NOTIFY');
    }
  });

  function notifiedByFamily(): NotifiedCalls {
    return new Map(Object.entries(OTHER_PROCESS_CALLS).map(([name, when]) => [syscallNumber('x86_64', name)!, [when]]));
  }
});

describe('kill(-1)', () => {
  it('is left to Landlock where it scopes signals, and refused where it does not', () => {
    expect(judge({})('kill', [-1n & 0xffffffffn, 9])).toBe('ALLOW');
    const answer = judge({ options: { disable: ['signalScope'] } });
    for (const pid of junk(0xffffffff)) expect(answer('kill', [pid, 9])).toBe('EPERM');
    for (const pid of [0, 1, 0xfffffffe, 4711]) expect(answer('kill', [pid, 9])).toBe('ALLOW');
  });
});

describe('notifications', () => {
  const nr = (name: string) => syscallNumber('x86_64', name)!;

  it('keep their conditions', () => {
    const answer = judge({ notified: new Map([[nr('recvfrom'), [[arg(4).ne(0)], [arg32(3).eq(1), arg32(0).eq(5)]]]]) });
    expect(answer('recvfrom', [0, 0, 0, 0, 1n << 40n])).toBe('NOTIFY');
    expect(answer('recvfrom', [5, 0, 0, 1, 0])).toBe('NOTIFY');
    expect(answer('recvfrom', [4, 0, 0, 1, 0])).toBe('ALLOW');
    expect(answer('recvfrom', [])).toBe('ALLOW');
  });

  it('come after what the arguments forbid', () => {
    const answer = judge({ notified: always('x86_64', 'clone', 'ioctl', 'prctl', 'sendto') });
    expect(answer('clone', [0x10000000])).toBe('EPERM');
    expect(answer('clone', [0x11])).toBe('NOTIFY');
    expect(answer('ioctl', [0, 0x5412])).toBe('EPERM');
    expect(answer('ioctl', [0, 0x5401])).toBe('NOTIFY');
    expect(answer('prctl', [4])).toBe('EPERM');
    expect(answer('sendto', [0, 0, 0, 0x20000000])).toBe('EOPNOTSUPP');
  });

  it('with a list that always holds are unconditional', () => {
    const answer = judge({ notified: new Map<number, ArgCondition[][]>([[nr('read'), [[arg(0).eq(1)], []]]]) });
    expect(answer('read', [7])).toBe('NOTIFY');
  });

  it('on denied calls are refused by name', () => {
    for (const name of ['mount', 'io_uring_setup', 'clone3', 'chmod', 'socket']) {
      const setting = { options: { extraDenySyscalls: ['socket'] }, notified: always('x86_64', name) };
      expect(() => judge(setting)).toThrow(ConfigError);
      expect(() => judge(setting)).toThrow(new RegExp(`\\b${name}\\b`));
    }
    expect(judge({ options: { fsWritable: ['/w'] }, notified: always('x86_64', 'chmod') })('chmod')).toBe('NOTIFY');
  });

  it('do not exist without a supervisor', () => {
    expect(() => judge({ options: { noSupervisor: true }, notified: always('x86_64', 'uname') })).toThrow(ConfigError);
    expect(judge({ options: { noSupervisor: true }, notified: new Map([[nr('uname'), []]]) })('uname')).toBe('ALLOW');
  });

  it('come from a table as they are registered', () => {
    expect(notifiedCalls([{ nr: 1, when: undefined }, { nr: 2, when: [[arg(0).eq(1)]] }]))
      .toEqual(new Map([[1, [[]]], [2, [[arg(0).eq(1)]]]]));
  });
});

describe('extra denials', () => {
  it('beat rules on arguments, groups and all', () => {
    const answer = judge({ options: { extraDenySyscalls: ['ioctl', 'wait4', 'newfstatat'] } });
    for (const name of ['ioctl', 'wait4', 'newfstatat']) expect(answer(name, [0, 0x5401])).toBe('EPERM');
    expect(judge({})('wait4')).toBe('ALLOW');
  });

  it('resolve both spellings of fstatat on every architecture', () => {
    for (const arch of ARCHES) for (const name of ['newfstatat', 'fstatat']) {
      expect(judge({ arch, options: { extraDenySyscalls: [name] } })('newfstatat')).toBe('EPERM');
      expect(judge({ arch })('newfstatat')).toBe('ALLOW');
    }
  });

  it('of a call that the architecture lacks deny nothing', () => {
    expect(judge({ arch: 'aarch64', options: { extraDenySyscalls: ['open'] } })('openat')).toBe('ALLOW');
  });

  it('fit, all of them at once', () => {
    const options: SandboxOptions = { extraDenySyscalls: syscallNames('x86_64').filter((name) => name !== 'exit') };
    const answer = judge({ options });
    for (const name of syscallNames('x86_64')) {
      expect(answer(name)).toBe(name === 'exit' ? 'ALLOW' : name === 'clone3' ? 'ENOSYS' : 'EPERM');
    }
  });
});

describe('the kernel\'s constant-allow cache', () => {
  it('covers every call that no rule names', () => {
    const cached = new Set(constantAllows(filterOf({}), 'x86_64'));
    const named = new Set([...BLOCKLIST, ...SETTERS, 'clone3', 'clone', 'ioctl', 'prctl', 'socket', 'socketpair', 'listen', 'connect', 'sendto',
      'setsockopt', 'sendmsg', 'sendmmsg', 'mknod', 'mknodat', 'seccomp', 'setpriority', 'ioprio_set', 'prlimit64', 'sched_setaffinity', 'sched_setscheduler',
      'sched_setparam', 'sched_setattr']);
    for (const name of syscallNames('x86_64')) expect(`${name} ${cached.has(name)}`).toBe(`${name} ${!named.has(name)}`);
  });
});
