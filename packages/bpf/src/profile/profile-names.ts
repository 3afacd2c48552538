/**
 * The names that seccomp profiles use for architectures, actions and comparisons.
 *
 * They are libseccomp's constants, which the OCI runtime specification took over: "Linux container
 * configuration", section Seccomp.
 */
import { type ArgOp } from '../arg-condition.js';
import { type Action } from '../action.js';
import { type Arch } from '../tables/syscall-table.js';

export const PROFILE_ARCHES: Readonly<Record<string, Arch>> = {
  SCMP_ARCH_X86_64: 'x86_64',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_X86: 'i386',
  SCMP_ARCH_AARCH64: 'aarch64',
  SCMP_ARCH_ARM: 'arm',
  SCMP_ARCH_RISCV64: 'riscv64',
};

/** Where libseccomp compares the low 32 bits of an argument. On x32 the kernel passes all 64, but ints are usual. */
export const NARROW_ARCHES: ReadonlySet<Arch> = new Set<Arch>(['i386', 'arm', 'x32']);

/** What Docker's includes and excludes call an architecture: Go's names, with two spellings of i386. */
export const GO_ARCHES: Readonly<Record<Arch, readonly string[]>> = {
  x86_64: ['amd64'], x32: ['x32'], i386: ['x86', '386'], aarch64: ['arm64'], arm: ['arm'], riscv64: ['riscv64'],
};

/** KILL is KILL_THREAD under its older name. */
export const PROFILE_ACTIONS: Readonly<Record<string, Action['type']>> = {
  SCMP_ACT_KILL: 'killThread',
  SCMP_ACT_KILL_THREAD: 'killThread',
  SCMP_ACT_KILL_PROCESS: 'killProcess',
  SCMP_ACT_TRAP: 'trap',
  SCMP_ACT_ERRNO: 'errno',
  SCMP_ACT_TRACE: 'trace',
  SCMP_ACT_ALLOW: 'allow',
  SCMP_ACT_LOG: 'log',
  SCMP_ACT_NOTIFY: 'userNotif',
};

export const PROFILE_OPS: Readonly<Record<string, ArgOp>> = {
  SCMP_CMP_NE: 'ne',
  SCMP_CMP_LT: 'lt',
  SCMP_CMP_LE: 'le',
  SCMP_CMP_EQ: 'eq',
  SCMP_CMP_GE: 'ge',
  SCMP_CMP_GT: 'gt',
  SCMP_CMP_MASKED_EQ: 'maskedEq',
};

/** The capabilities that Docker leaves a container by default, for the includes and excludes of its profile. */
export const DOCKER_DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID', 'CAP_SETUID',
  'CAP_SETFCAP', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_AUDIT_WRITE',
];
