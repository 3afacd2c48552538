/** Options to policy. */
import type { Arch } from '@sandlock/bpf';
import type { HandlerBinding } from '@sandlock/dispatch';

import { deniedNumbers } from '../filter/denied-syscalls.js';
import { PROTECTIONS, type Protection, type ProtectionMode } from '../landlock/protections.js';
import type { ParsedGrant } from '../options/grammar/path-grant.js';
import { DEFAULT_MAX_PROCESSES } from '../options/limit-options.js';
import type { ParsedOptions, SandboxOptions } from '../options/option-table.js';
import { parseOptions } from '../options/parse-options.js';
import { absoluteOptions, workingDirectory } from './absolute-path.js';
import { deepFreeze } from './deep-freeze.js';
import { netPolicy } from './net-policy.js';
import type { Policy, PolicyGrant } from './policy.js';

/** A policy, and the handlers that belong to it: functions, which no policy can hold. */
export interface BuiltPolicy {
  readonly policy: Policy;
  /** What it was made of. Every path is absolute. */
  readonly parsed: ParsedOptions;
  readonly handlers: readonly HandlerBinding[];
}

/**
 * Checks options and makes the policy they stand for.
 *
 * @param base where relative paths start: this process's working directory, when left out
 * @throws {ConfigError} with every issue at once
 */
export function buildPolicy(options: SandboxOptions, arch: Arch, base: () => Uint8Array = workingDirectory): BuiltPolicy {
  const parsed = absoluteOptions(parseOptions(options), base);
  const supervised = parsed.noSupervisor !== true;
  const writable = grants('fsWritable', parsed.fsWritable);
  return {
    policy: deepFreeze({
      arch,
      name: parsed.name ?? null,
      supervised,
      fs: { readable: grants('fsReadable', parsed.fsReadable), writable },
      net: netPolicy(parsed),
      environment: { clean: parsed.cleanEnv ?? false, set: { ...parsed.env } },
      cwd: parsed.cwd ?? null,
      user: parsed.user ?? null,
      protections: protectionModes(parsed),
      deniedSyscalls: deniedNumbers(arch, {
        supervised,
        allow: parsed.extraAllowSyscalls ?? [],
        deny: parsed.extraDenySyscalls ?? [],
        anythingWritable: writable.length > 0,
      }),
      maxProcesses: parsed.maxProcesses ?? DEFAULT_MAX_PROCESSES,
      memory: memoryPolicy(parsed),
      maxOpenFiles: parsed.maxOpenFiles ?? null,
      maxCpu: parsed.maxCpu === undefined || parsed.maxCpu === 100 ? null : parsed.maxCpu,
      cgroup: parsed.cgroup ?? null,
      cpuCores: parsed.cpuCores ?? null,
      numCpus: parsed.numCpus ?? null,
      gpus: parsed.gpuDevices ?? null,
      noCoredump: parsed.noCoredump ?? false,
      noHugePages: parsed.noHugePages ?? false,
      noRandomizeMemory: parsed.noRandomizeMemory ?? false,
      randomSeed: parsed.randomSeed ?? null,
      timeStartNs: parsed.timeStart ?? null,
      timeFrozen: parsed.timeFrozen ?? false,
      shiftFileTimes: parsed.shiftFileTimes ?? false,
      machineId: parsed.machineId ?? null,
      deterministicDirs: parsed.deterministicDirs ?? false,
      keepCapabilities: parsed.keepCapabilities ?? [],
    }),
    parsed,
    handlers: Object.freeze([...(parsed.handlers ?? [])]),
  };
}

function grants(option: string, parsed: readonly ParsedGrant[] = []): PolicyGrant[] {
  return parsed.map((grant, i) => ({ ...grant, from: `${option}[${i}]` }));
}

/** No machine has memory that a double does not count exactly. */
function memoryPolicy({ maxMemory, onMemoryExceeded = 'kill' }: ParsedOptions): Policy['memory'] {
  if (maxMemory === undefined) return null;
  const limitBytes = maxMemory > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(maxMemory);
  return { limitBytes, onExceeded: onMemoryExceeded };
}

function protectionModes({ allowDegraded = [], disable = [] }: ParsedOptions): Record<Protection, ProtectionMode> {
  const mode = (protection: Protection): ProtectionMode =>
    disable.includes(protection) ? 'disabled' : allowDegraded.includes(protection) ? 'degradable' : 'strict';
  return Object.fromEntries(PROTECTIONS.map((protection) => [protection, mode(protection)])) as Record<Protection, ProtectionMode>;
}
