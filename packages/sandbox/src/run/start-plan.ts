/**
 * The start plan of a run: policy and call, as what happens between clone and exec.
 */
import type { StartPlan } from '@sandlock/sys';

import type { RunCgroup } from '../cgroup/run-cgroup.js';
import { capabilityMask } from '../options/grammar/capability-name.js';
import { absolutePath, workingDirectory } from '../policy/absolute-path.js';
import { maskEntropy } from '../policy/entropy-masks.js';
import { buildEnvironment, withHostName } from '../policy/environment.js';
import { gpuEnvironment } from '../policy/gpu-grants.js';
import type { Policy } from '../policy/policy.js';
import type { Confinement } from './confinement.js';
import type { StartOptions } from './run-options.js';

export interface StartPlanInput {
  readonly policy: Policy;
  /** Of the sandbox. */
  readonly name: string;
  readonly confinement: Confinement;
  readonly cgroup: RunCgroup | undefined;
  readonly cmd: readonly (string | Uint8Array)[];
  readonly options: StartOptions;
  readonly stdio: readonly [number, number, number];
  readonly rulesetFd: number;
  readonly interactive: boolean;
  readonly park: boolean;
}

export function startPlan(input: StartPlanInput): StartPlan {
  const { policy, options, cgroup } = input;
  const inherited = policy.supervised ? withHostName(process.env, input.name) : process.env;
  const environment = buildEnvironment(policy.environment, inherited, { ...options.env, ...gpuEnvironment(policy.gpus) });
  if (policy.randomSeed !== null) maskEntropy(environment, policy.arch);
  const cwd = options.cwd === undefined ? policy.cwd : absolutePath(Buffer.from(options.cwd), workingDirectory, 'cwd');
  const { keepCapabilities: keep } = policy;
  return {
    argv: input.cmd,
    env: Object.keys(environment).map((name) => `${name}=${environment[name]!}`),
    stdio: input.stdio,
    rulesetFd: input.rulesetFd,
    filter: input.confinement.filter,
    listener: input.confinement.table !== undefined,
    interactive: input.interactive,
    park: input.park,
    noRandomizeMemory: policy.noRandomizeMemory,
    noHugePages: policy.noHugePages,
    noCoredump: policy.noCoredump,
    keepCapabilities: keep === 'all' ? 'all' : capabilityMask(keep),
    ...(cwd === null ? {} : { cwd }),
    ...(options.fds === undefined ? {} : { fds: new Map(Object.entries(options.fds).map(([to, from]) => [Number(to), from])) }),
    ...(policy.maxOpenFiles === null ? {} : { maxOpenFiles: policy.maxOpenFiles }),
    ...(cgroup === undefined ? {} : { cgroup: Buffer.from(cgroup.directory, 'latin1') }),
    ...(policy.maxCpu === null || cgroup?.limits.cpu !== undefined ? {} : { cpuPercent: policy.maxCpu }),
    ...(policy.cpuCores === null ? {} : { cpuCores: policy.cpuCores }),
    ...userMapping(policy),
  };
}

/** The ids one already has need no namespace, and so no right to make one. */
function userMapping({ user }: Policy): Pick<StartPlan, 'user'> {
  if (user === null || (user.uid === process.getuid!() && user.gid === process.getgid!())) return {};
  return { user };
}
