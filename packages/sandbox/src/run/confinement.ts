/**
 * What confines a run, made before any process exists: families and table, filter, ruleset.
 *
 * The table is made first, because the filter's notification list is read off it.
 */
import {
  affinity, endings, fileTimes, freshImages, hostname, hosts, listen, machineId, memory, PositionStore, proc, processes, ProcessTree, sortedDirectories, views,
  virtualTime, visibleEntries, watchedFdBase, type Members, type CpuChoice, type MemoryFamily, type MemoryUse, type SocketCopies, type View, type VirtualClock,
} from '@sandlock/builtins';
import type { DispatchTable, Family, Handler, HandlerBinding, NotifiedSyscall } from '@sandlock/dispatch';
import { landlockAbiVersion } from '@sandlock/sys';

import type { RunCgroup } from '../cgroup/run-cgroup.js';
import { ConfigError } from '../errors.js';
import { describeFilter, notifiedCalls } from '../filter/describe-filter.js';
import type { FilterCache } from '../filter/filter-cache.js';
import { requiredFamilies } from '../filter/required-families.js';
import { refusesConnect } from '../filter/socket-calls.js';
import { landlockPlan, type LandlockPlan } from '../landlock/landlock-plan.js';
import { mountTable } from '../landlock/mount-table.js';
import type { Policy } from '../policy/policy.js';
import { RealPaths } from '../policy/real-paths.js';
import { descriptorLimit } from './descriptor-limit.js';
import { determinism } from './determinism.js';
import { grantFiles } from './granted-files.js';
import type { FoundFiles, KeptFiles } from './kept-files.js';
import type { LeasedRuleset } from './kept-rulesets.js';
import { viewGrants } from './view-grants.js';

export interface Confinement {
  readonly landlock: LandlockPlan;
  /** struct sock_filter, 8 bytes each. */
  readonly filter: Uint8Array;
  /** undefined: no supervisor. */
  readonly table: DispatchTable | undefined;
  /** Whether a process, or a thread by its id, belongs to the sandbox; nobody is known to without a supervisor. */
  readonly isMember: (id: number) => boolean;
  /** Largest number of living processes so far. */
  readonly peakProcesses: () => number;
  /** undefined: no limit, or the kernel's alone. */
  readonly memory: MemoryFamily | undefined;
}

export interface ConfinementInput {
  readonly policy: Policy;
  readonly name: string;
  /** Where the copies of sockets come from that listen. */
  readonly socketCopies: SocketCopies;
  readonly handlers: readonly HandlerBinding[];
  /** Empty; whoever made it disposes of it if nothing comes of the run. */
  readonly table: DispatchTable;
  readonly cgroup: RunCgroup | undefined;
  /** Of this sandbox. */
  readonly files: KeptFiles;
  /** What it found for this start. */
  readonly last: FoundFiles | undefined;
  /** Takes the ruleset of this run. */
  readonly ruleset: LeasedRuleset;
  /** The guard's pid, once there is one. */
  readonly guardPid: () => number;
  /** Of this policy. */
  readonly filters: FilterCache;
}

/**
 * @throws {ConfinementError} this machine cannot enforce the policy
 * @throws {ConfigError} a handler for a call that the policy denies, or handlers without a supervisor
 * @throws {HandlerError} a handler that cannot be registered
 */
export function makeConfinement(input: ConfinementInput): Confinement {
  const { policy, handlers } = input;
  if (policy.supervised) return supervised(input);
  const landlock = landlockPlan(policy, landlockAbiVersion());
  if (handlers.length > 0) throw new ConfigError([{ path: 'handlers', message: 'Without a supervisor (noSupervisor) nobody runs handlers.' }]);
  const filter = compiled(input, landlock, [], []);
  input.ruleset.take(landlock);
  return { landlock, filter, table: undefined, isMember: () => false, peakProcesses: () => 1, memory: undefined };
}

function supervised(input: ConfinementInput): Confinement {
  const { policy, handlers, table } = input;
  const members = new ProcessTree(input.guardPid);
  // Before any other family could answer an early call of a fresh image.
  const { clock, random, imagePatches } = determinism(policy);
  if (imagePatches.length > 0) table.family(freshImages(imagePatches, policy.arch));
  if (clock !== undefined) table.family(virtualTime({ clock }));
  // Before the processes family, which knows threads of the caller alone.
  for (const each of affinityFamilies(policy, members)) table.family(each);
  const family = processes({ maxProcesses: policy.maxProcesses, members });
  table.family(family);
  table.family(endings());
  if (random !== undefined) table.family(random);
  const kept = keptByKernel(input);
  // The kernel ends processes and refuses nobody, so requests are still to be judged where that was asked for.
  const memoryFamily = policy.memory === null || (kept !== undefined && policy.memory.onExceeded === 'kill') ? undefined : memory({
    ...policy.memory, members, filesHandedOut: policy.randomSeed !== null,
  });
  if (memoryFamily !== undefined) table.family(memoryFamily);
  const name = hostname({ name: input.name });
  const landlock = addViews(input, table, [...name.views, ...(policy.machineId === null ? [] : machineId(policy.machineId)), ...(random?.views ?? [])], { members, memory: kept ?? memoryFamily, time: clock });
  const names = ['processes'];
  if (requiredFamilies(policy, landlock.statuses).includes('listen')) {
    table.family(listen({
      bindPorts: policy.net.bind.kind === 'any' ? 'any' : policy.net.bind.ports,
      copies: input.socketCopies,
      connects: !refusesConnect(policy.net, landlock.tcp, policy.fs.writable.length > 0),
    }));
    names.push('listen');
  }
  table.addAll(handlers);
  // Last, because it always answers: a caller's own handler for uname would never be asked. It is a view and
  // protects nothing, so the caller may decide; what it continues gets the name.
  table.on('uname', name.handlers['uname'] as Handler, { owner: 'hostname', optional: true });
  // For the same reason, and behind the files that have a view.
  if (clock !== undefined && policy.shiftFileTimes) table.family(fileTimes({ clock }));
  const filter = compiled(input, landlock, table.registrations(), names);
  return { landlock, filter, table, isMember: (id) => members.isMember(id), peakProcesses: () => family.peak(), memory: memoryFamily };
}

/** undefined: no limit on memory, or not the kernel's. */
function keptByKernel({ cgroup }: ConfinementInput): MemoryUse | undefined {
  const limitBytes = cgroup?.limits.memory;
  return cgroup === undefined || limitBytes === undefined ? undefined : { limitBytes, usedBytes: () => cgroup.usedBytes() };
}

function affinityFamilies({ cpuCores, numCpus }: Policy, members: Members): readonly Family[] {
  if (cpuCores === null && numCpus === null) return [];
  return [affinity({ ...cpuChoice({ cpuCores, numCpus }), members })];
}

/** What a mask and the views go by. */
function cpuChoice({ cpuCores, numCpus }: Pick<Policy, 'cpuCores' | 'numCpus'>): CpuChoice {
  return { cpuCores: cpuCores ?? undefined, numCpus: numCpus ?? undefined };
}


interface Shown {
  readonly members: Members;
  readonly memory: MemoryUse | undefined;
  readonly time: VirtualClock | undefined;
}

/**
 * What a target sees in place of the machine's files: /proc, the host's names.
 *
 * @returns what is left for Landlock to give: nothing of a procfs, nor of what a view stands in for. See divideGrants()
 */
function addViews(
  { policy, guardPid, socketCopies, ruleset, files, last }: ConfinementInput, table: DispatchTable, more: readonly View[], { members, memory, time }: Shown,
): LandlockPlan {
  const base = watchedFdBase(descriptorLimit(policy.maxOpenFiles));
  const [beganMs, mounts, paths] = [Date.now(), mountTable(), new RealPaths()];
  const grants = last?.grants ?? viewGrants(policy.fs, paths);
  const { procGranted } = grants;
  const positions = new PositionStore(socketCopies === 'taken');
  const cpus = cpuChoice(policy);
  // Before /proc's own listings, which are in the kernel's order.
  if (policy.deterministicDirs) {
    table.family(sortedDirectories({ visible: (entries, fd) => visibleEntries(entries, fd, { members, ...cpus }), positions }));
  }
  const lists = procGranted || cpus.numCpus !== undefined; // directories of processors are listed too
  const ofProc = proc({
    members, guardPid, procGranted, watchedFdBase: lists ? base : undefined, positions, memory, time, ...cpus,
  });
  table.family(ofProc);
  const shown = [...ofProc.views, ...more, hosts()];
  const names = shown.map(({ path }) => path);
  const known = last !== undefined && names.join('\0') === last.views.join('\0') ? last.granted : undefined;
  const granted = grantFiles(policy, shown, paths, ruleset, known);
  if (granted !== known) files.keep(socketCopies, { fs: policy.fs, grants, views: names, granted }, paths, mounts, beganMs);
  const { landlock, served: { directories, knownEntries } } = granted;
  const clock = policy.shiftFileTimes ? time : undefined;
  table.family(views({ views: shown, grants, members, watchedFdBase: base, procGranted, directories, knownEntries, positions, clock }));
  return landlock;
}

function compiled(
  { policy, filters }: ConfinementInput, landlock: LandlockPlan, registrations: readonly NotifiedSyscall[], families: readonly string[],
): Uint8Array {
  const registered = [registrations.map(({ nr, when }) => [nr, when ?? null]), landlock.statuses, families];
  return filters.filter(registered, () => (
    describeFilter(policy, notifiedCalls(registrations), { protections: landlock.statuses, families })));
}
