/**
 * Start plan: everything that happens between clone and exec, decided before there is a process.
 *
 * native/plan.h fixes the layout and native/guard/target.c carries it out.
 */
import { binding } from '../binding.js';
import { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, MFD_ALLOW_SEALING, MFD_CLOEXEC } from '../constants.js';
import { addSeals, close, memfdCreate, type PathLike, write } from '../files.js';

/** enum plan_flags */
const flag = {
  interactive: 1 << 0, park: 1 << 1, listener: 1 << 2, ruleset: 1 << 3, noRandomizeMemory: 1 << 4,
  noHugePages: 1 << 5, noCoredump: 1 << 6, maxOpenFiles: 1 << 7, user: 1 << 8, keepAllCapabilities: 1 << 9,
} as const;

export interface StartPlan {
  /** At least the program's name; looked up in PATH of `env` if it has no slash. */
  argv: readonly PathLike[];
  /** `NAME=value` entries. */
  env: readonly PathLike[];
  /** Descriptors of this process that become 0, 1 and 2 of the target; they stay the caller's. */
  stdio: readonly [number, number, number];
  /** Further descriptors, by their number in the target (3 to 31). Default none. */
  fds?: ReadonlyMap<number, number>;
  /** Working directory, absolute; default: that of this process. */
  cwd?: PathLike;
  /** struct sock_filter, 8 bytes each. */
  filter?: Uint8Array;
  /** Install the filter with a listener and hand it over. */
  listener?: boolean;
  /** A Landlock ruleset; stays the caller's. */
  rulesetFd?: number;
  /** Own process group in the caller's session and its terminal, instead of a session of its own. */
  interactive?: boolean;
  /** Stop before the filter and exec until {@link GuardedProcess.release}. */
  park?: boolean;
  noRandomizeMemory?: boolean;
  noHugePages?: boolean;
  noCoredump?: boolean;
  /** RLIMIT_NOFILE, soft and hard; a cap, never a grant. */
  maxOpenFiles?: number;
  /** Percent of one processor that all processes together get, 1 to 100. Default: as much as there is. */
  cpuPercent?: number;
  /**
   * Directory of an empty control group of version 2, absolute. The target is in it from before its first step, and at the end
   * whoever is in it is ended. It stays the caller's to remove, unless the caller ends first. An oom_score_adj below 0 becomes 0.
   */
  cgroup?: PathLike;
  /** CPU numbers. */
  cpuCores?: readonly number[];
  /** The identity the target sees, through a user namespace. */
  user?: { uid: number; gid: number };
  /** Capability bits that survive; `'all'` leaves every set alone. Default none. */
  keepCapabilities?: bigint | 'all';
}

/** The first descriptor number of the guard; the target's own stand below. */
export const GUARD_BASE = 32;

/** @returns a sealed memfd; the caller closes it */
export function encodePlan(plan: StartPlan): number {
  let flags = 0;
  for (const name of ['interactive', 'park', 'listener', 'noRandomizeMemory', 'noHugePages', 'noCoredump'] as const) {
    if (plan[name]) flags |= flag[name];
  }
  if (plan.rulesetFd !== undefined) flags |= flag.ruleset;
  if (plan.maxOpenFiles !== undefined) flags |= flag.maxOpenFiles;
  if (plan.user) flags |= flag.user;
  if (plan.keepCapabilities === 'all') flags |= flag.keepAllCapabilities;

  let keepFds = 0n;
  for (const target of plan.fds?.keys() ?? []) {
    if (!Number.isInteger(target) || target < 3 || target >= GUARD_BASE) {
      throw new RangeError(`A descriptor for the target has a number from 3 to ${GUARD_BASE - 1}, not ${target}.`);
    }
    keepFds |= 1n << BigInt(target);
  }
  const none = new Uint8Array(0);
  const blob = binding().encodePlan(
    flags,
    BigInt(plan.maxOpenFiles ?? 0),
    keepFds,
    typeof plan.keepCapabilities === 'bigint' ? plan.keepCapabilities : 0n,
    Uint32Array.of(plan.user?.uid ?? 0, plan.user?.gid ?? 0, process.geteuid!(), process.getegid!(), plan.cpuPercent ?? 0),
    plan.cwd === undefined ? none : Buffer.from(plan.cwd as Uint8Array),
    plan.filter ?? none,
    plan.cpuCores?.length ? affinityMask(plan.cpuCores) : none,
    plan.cgroup === undefined ? none : Buffer.from(plan.cgroup as Uint8Array),
  );
  return sealedMemfd(blob);
}

/** sched_setaffinity(2): bit n of a little-endian mask is CPU n; whole words of 8 bytes. */
function affinityMask(cores: readonly number[]): Uint8Array {
  const mask = new Uint8Array(8 * (Math.floor(Math.max(...cores) / 64) + 1));
  for (const core of cores) mask[core >> 3]! |= 1 << (core & 7);
  return mask;
}

function sealedMemfd(blob: Uint8Array): number {
  const fd = memfdCreate('sandlock-plan', MFD_CLOEXEC | MFD_ALLOW_SEALING);
  try {
    for (let at = 0; at < blob.length; ) at += write(fd, blob.subarray(at));
    addSeals(fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}
