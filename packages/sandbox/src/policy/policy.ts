/**
 * The policy: what was asked for, checked and complete, as plain data.
 *
 * It is frozen and can be cloned to another thread. Paths are bytes, absolute, without NUL; byte arrays cannot
 * be frozen, so whoever holds a policy leaves them as they are. Handlers are functions and stay outside.
 */
import type { Arch } from '@sandlock/bpf';
import type { OnMemoryExceeded } from '@sandlock/builtins';

import type { Protection, ProtectionMode } from '../landlock/protections.js';
import type { Capability } from '../options/grammar/capability-name.js';
import type { UserIds } from '../options/grammar/user-ids.js';
import type { EnvironmentPolicy } from './environment.js';
import type { GpuSelection } from './gpu-grants.js';
import type { NetPolicy } from './net-policy.js';

export interface Policy {
  /** The architecture that the numbers below are of. */
  readonly arch: Arch;
  /** null: to be made up at the start. */
  readonly name: string | null;
  readonly supervised: boolean;
  readonly fs: {
    readonly readable: readonly PolicyGrant[];
    /** Includes reading. */
    readonly writable: readonly PolicyGrant[];
  };
  readonly net: NetPolicy;
  readonly environment: EnvironmentPolicy;
  /** null: the caller's. */
  readonly cwd: Uint8Array | null;
  /** null: the caller's. Equal to the caller's ids it means nothing, which only the start can tell. */
  readonly user: UserIds | null;
  readonly protections: Readonly<Record<Protection, ProtectionMode>>;
  /** System calls that are denied whatever their arguments, ascending. No handler may be registered for one. */
  readonly deniedSyscalls: readonly number[];
  readonly maxProcesses: number;
  /** null: no limit. */
  readonly memory: { readonly limitBytes: number; readonly onExceeded: OnMemoryExceeded } | null;
  /** null: inherited. */
  readonly maxOpenFiles: number | null;
  /** Percent of one processor; null: as much as there is. */
  readonly maxCpu: number | null;
  /** A control group to make one for each run in; null: one that is found, 'none': none. */
  readonly cgroup: Uint8Array | 'none' | null;
  /** null: inherited. */
  readonly cpuCores: readonly number[] | null;
  /** null: those there are. */
  readonly numCpus: number | null;
  /** null: none. */
  readonly gpus: GpuSelection | null;
  readonly noCoredump: boolean;
  readonly noHugePages: boolean;
  readonly noRandomizeMemory: boolean;
  /** null: the machine's own entropy. */
  readonly randomSeed: bigint | null;
  /** Nanoseconds since 1970. null: the machine's time. */
  readonly timeStartNs: bigint | null;
  /** It stands still there. */
  readonly timeFrozen: boolean;
  readonly shiftFileTimes: boolean;
  /** 32 hexadecimal digits; null: the machine's. */
  readonly machineId: string | null;
  readonly deterministicDirs: boolean;
  /** What stays of the caller's capabilities. */
  readonly keepCapabilities: 'all' | readonly Capability[];
}

/** A path that is granted, and where it was asked for. */
export interface PolicyGrant {
  readonly path: Uint8Array;
  readonly optional: boolean;
  /** For errors: `fsReadable[1]`. */
  readonly from: string;
}
