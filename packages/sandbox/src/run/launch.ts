/**
 * Launch: from a policy and a call to a process.
 *
 * Everything that can be wrong is found before there is one: options, grants, protections, handlers, the filter.
 */
import { DispatchTable, type HandlerBinding } from '@sandlock/dispatch';
import { GuardedProcess, landlockAbiVersion, mayCallPidfdGetfd, seccompHasListener, SyscallError } from '@sandlock/sys';
import { constants } from 'node:os';

import { openCgroup } from '../cgroup/open-cgroup.js';
import type { RunCgroup } from '../cgroup/run-cgroup.js';
import { ConfinementError } from '../errors.js';
import type { FilterCache } from '../filter/filter-cache.js';
import { refusedCalls } from '../filter/refused-calls.js';
import { protectionStatuses } from '../landlock/protection-status.js';
import { withoutCopies } from '../policy/net-policy.js';
import type { Policy } from '../policy/policy.js';
import { gpuGrants } from '../policy/gpu-grants.js';
import { resolveGrants } from '../policy/resolve-grants.js';
import { abortError } from './abort-error.js';
import { checkCall, readOnce } from './check-call.js';
import { makeConfinement } from './confinement.js';
import type { KeptFiles } from './kept-files.js';
import { LeasedRuleset } from './kept-rulesets.js';
import { claimName, releaseName } from './names.js';
import type { PopenOptions, RunOptions, StdioMode } from './run-options.js';
import { SandboxProcess } from './sandbox-process.js';
import { listenerBusy, spawnError } from './start-error.js';
import { startPlan } from './start-plan.js';
import { planStdio } from './stdio.js';

export interface LaunchInput {
  readonly policy: Policy;
  readonly handlers: readonly HandlerBinding[];
  readonly filters: FilterCache;
  readonly files: KeptFiles;
  readonly cmd: readonly (string | Uint8Array)[];
  readonly options: PopenOptions & RunOptions;
  /** Is given the options as they were read and checked. */
  readonly stdio: (options: PopenOptions & RunOptions) => readonly [StdioMode, StdioMode, StdioMode];
  readonly interactive?: boolean;
  readonly park?: boolean;
}

/** @throws every error of a start that comes before a process exists */
export function launch(input: LaunchInput): SandboxProcess {
  const { policy, handlers, cmd } = input;
  let { options } = input;
  let table: DispatchTable | undefined;
  try {
    options = readOnce(options);
    checkCall(cmd, options);
    if (options.signal?.aborted) throw abortError(options.signal);
    // Sandlock's own families ask for nothing that a rule on arguments refuses, and most runs have no others.
    const isPlain = handlers.length === 0 && (options.handlers?.length ?? 0) === 0;
    const blocklist = isPlain ? new Set(policy.deniedSyscalls) : refusedCalls(policy, protectionStatuses(policy.protections, landlockAbiVersion()));
    table = new DispatchTable({ arch: policy.arch, blocklist });
    return start({ ...input, options }, table);
  } catch (error) {
    // Handlers were handed over with the call: their dispose runs also where there is no process to end first.
    table ??= new DispatchTable({ arch: policy.arch });
    const given: unknown = (options as LaunchInput['options'] | null)?.handlers;
    table.take([...handlers, ...(Array.isArray(given) ? given as HandlerBinding[] : [])]);
    table.dispose().catch(() => undefined);
    throw policy.supervised && isOfMachine(error) && hasListener() ? listenerBusy({ errno: -constants.errno.EBUSY, cause: error })
      : error instanceof SyscallError ? spawnError(error) : error;
  }
}

/**
 * Whether an outer supervisor may be the reason: what it shows in place of the machine's files gets no rule, say. That there can be
 * no listener is then the better thing to say, and would be said next.
 */
function isOfMachine(error: unknown): boolean {
  return error instanceof SyscallError || (error instanceof ConfinementError && (error.code === 'ERR_SANDLOCK_LANDLOCK' || error.code === 'ERR_SANDLOCK_FILES_MOVING'));
}

function hasListener(): boolean {
  try {
    return seccompHasListener();
  } catch {
    return false; // what went wrong is to be told
  }
}

function start(input: LaunchInput, table: DispatchTable): SandboxProcess {
  const { cmd, options } = input;
  const socketCopies = input.policy.supervised && !mayCallPidfdGetfd() ? 'kept' : 'taken';
  const last = input.files.find(socketCopies);
  const policy: Policy = { ...input.policy, fs: last?.fs ?? withGpus(resolveGrants(input.policy), input.policy), net: socketCopies === 'kept' ? withoutCopies(input.policy.net) : input.policy.net };
  const name = claimName(options.name ?? policy.name);
  let guardPid = 0;
  let cgroup: RunCgroup | undefined;
  const ruleset = new LeasedRuleset();
  try {
    cgroup = openCgroup(policy);
    const confinement = makeConfinement({
      policy, name, socketCopies, cgroup, table, ruleset, last, files: input.files, filters: input.filters, handlers: [...input.handlers, ...(options.handlers ?? [])], guardPid: () => guardPid,
    });
    const stdio = planStdio(input.stdio(options));
    return new SandboxProcess({
      name,
      program: String(cmd[0]),
      confinement,
      cgroup,
      stdio,
      options,
      parked: input.park ?? false,
      spawn: (callbacks) => {
        const guarded = GuardedProcess.spawn(startPlan({
          policy, name, confinement, cgroup, cmd, options, rulesetFd: ruleset.fd,
          stdio: stdio.fds, interactive: input.interactive ?? false, park: input.park ?? false,
        }), callbacks);
        guardPid = guarded.guardPid;
        return guarded;
      },
      released: () => releaseName(name),
    });
  } catch (error) {
    releaseName(name);
    cgroup?.discard();
    throw error;
  } finally {
    ruleset.release();
  }
}

/** @throws {ConfigError} a GPU that is not there */
function withGpus(fs: Policy['fs'], { gpus }: Policy): Policy['fs'] {
  if (gpus === null) return fs;
  const { readable, writable } = gpuGrants(gpus);
  return { readable: [...fs.readable, ...readable], writable: [...fs.writable, ...writable] };
}
