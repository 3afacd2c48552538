/**
 * confine(): this process itself, for good.
 *
 * Landlock alone, on every thread: files and both scopes, as granted. There is no filter and no supervisor, so only
 * options that Landlock enforces on a running process are taken. What is running already (open files, memory maps,
 * child processes) stays as it is. landlock(7), "Good practices".
 */
import { nativeArch } from '@sandlock/bpf';
import { close, landlockAbiVersion, landlockErrata, landlockRestrictAllThreads, SyscallError } from '@sandlock/sys';

import { ConfinementError } from './errors.js';
import { landlockPlan } from './landlock/landlock-plan.js';
import { protectionReports, type ProtectionReport } from './landlock/protection-status.js';
import { unsupportedForConfine } from './options/confine-options.js';
import type { SandboxOptions } from './options/option-table.js';
import { parseOptions } from './options/parse-options.js';
import { buildPolicy } from './policy/build-policy.js';
import { resolveGrants } from './policy/resolve-grants.js';
import { createRuleset } from './run/ruleset.js';

/** Signals between threads of one process were judged as between processes; fixed as erratum 2. */
const ERRATUM_SAME_PROCESS_SIGNALS = 1 << 1;

export interface Confined {
  /** How many threads were confined one by one; undefined where the kernel did it in one step (ABI 8). */
  readonly threads: number | undefined;
  readonly protections: readonly ProtectionReport[];
}

/**
 * Confines every thread of this process to the given files, irrevocably.
 *
 * @param options  fsReadable, fsWritable, allowDegraded, disable
 * @throws {ConfigError} wrong options
 * @throws {ConfinementError} ERR_SANDLOCK_CONFINE_UNSUPPORTED other options, or a kernel on which threads could not
 *   signal each other any more; _LANDLOCK_UNAVAILABLE, _PROTECTION_UNAVAILABLE; _LANDLOCK when the kernel refused:
 *   some threads may be confined then, so end the process
 */
export function confine(options: SandboxOptions): Confined {
  const unsupported = unsupportedForConfine(parseOptions(options));
  if (unsupported.length > 0) {
    throw new ConfinementError('ERR_SANDLOCK_CONFINE_UNSUPPORTED',
      `confine() takes file grants and protections only, not ${unsupported.join(', ')}. Run a program in a Sandbox for those.`);
  }
  const { policy } = buildPolicy(options, nativeArch(process.arch));
  const abi = landlockAbiVersion();
  const plan = landlockPlan({ ...policy, fs: resolveGrants(policy) }, abi, { network: false });
  if (abi < 8 && plan.statuses.signalScope === 'active' && !(landlockErrata() & ERRATUM_SAME_PROCESS_SIGNALS)) {
    throw new ConfinementError('ERR_SANDLOCK_CONFINE_UNSUPPORTED',
      'On this kernel threads that are confined one by one cannot signal each other (Landlock erratum 2 is not fixed). '
      + 'Disable the protection signal-scope, or use a newer kernel.', { protection: 'signalScope', hostAbi: abi });
  }
  const rulesetFd = createRuleset(plan);
  try {
    return { threads: landlockRestrictAllThreads(rulesetFd, abi), protections: protectionReports(plan.statuses) };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new ConfinementError('ERR_SANDLOCK_LANDLOCK',
      `Not every thread could be confined (${error.code}). Some may be; end this process.`,
      { errno: error.errno, syscall: error.syscall, cause: error });
  } finally {
    close(rulesetFd);
  }
}
