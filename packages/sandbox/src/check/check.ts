/**
 * check(): whether this machine can run a sandbox, found out by running one.
 *
 * Version numbers do not say what a container, a security module or a boot option took away. So each step does the
 * thing, in the order in which a run does it, and the first that fails says where and why.
 */
import { nativeArch, type Arch } from '@sandlock/bpf';
import { action, on, type MemoryBytes } from '@sandlock/dispatch';
import { close, guardProgramPath, landlockAbiVersion, landlockErrata, pidfdGetfd, pidfdOpen, SandlockError } from '@sandlock/sys';
import { existsSync } from 'node:fs';
import { release } from 'node:os';

import { MIN_LANDLOCK_ABI } from '../landlock/protections.js';
import { protectionReports, protectionStatuses, type ProtectionReport } from '../landlock/protection-status.js';
import { buildPolicy } from '../policy/build-policy.js';
import { Sandbox } from '../sandbox.js';

export interface CheckStep {
  readonly name: string;
  readonly ok: boolean;
  /** A run needs it; otherwise only the feature that `detail` names. */
  readonly required: boolean;
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface CheckReport {
  /** Every required step works. */
  readonly supported: boolean;
  readonly arch: Arch | null;
  readonly kernel: string;
  readonly landlock: { readonly abi: number; readonly errata: number; readonly minimum: number };
  readonly protections: readonly ProtectionReport[];
  readonly steps: readonly CheckStep[];
}

/** Never throws for what the machine lacks: that is the report. */
export async function check(): Promise<CheckReport> {
  const kernel = release();
  const arch = attempt(() => nativeArch(process.arch));
  const abi = attempt(landlockAbiVersion) ?? 0;
  const steps: CheckStep[] = [platformStep(arch), landlockStep(abi)];
  if (steps.every(({ ok }) => ok)) {
    const degradable = protectionsAllowed(abi);
    const confinement = await confinedRun(degradable);
    steps.push(confinement, ...(await supervisedRun(degradable)), childrenStep(), pidfdGetfdStep());
    // Where nothing starts it would fail for another reason than its own.
    if (confinement.ok) steps.push(await userStep(degradable));
  }
  const statuses = arch === undefined ? undefined : protectionStatuses(buildPolicy({}, arch).policy.protections, abi);
  return {
    supported: steps.every(({ ok, required }) => ok || !required) && abi >= MIN_LANDLOCK_ABI,
    arch: arch ?? null,
    kernel,
    landlock: { abi, errata: attempt(landlockErrata) ?? 0, minimum: MIN_LANDLOCK_ABI },
    protections: statuses === undefined ? [] : protectionReports(statuses),
    steps,
  };
}

type Degradable = Pick<NonNullable<ConstructorParameters<typeof Sandbox>[0]>, 'allowDegraded'>;

/** The run itself is tried with what there is; that some protection is missing is said apart. */
function protectionsAllowed(abi: number): Degradable {
  return abi >= MIN_LANDLOCK_ABI ? {} : {
    allowDegraded: ['fs-refer', 'fs-truncate', 'net-tcp', 'fs-ioctl-dev', 'signal-scope', 'abstract-unix-socket-scope'],
  };
}

function platformStep(arch: Arch | undefined): CheckStep {
  const ok = process.platform === 'linux' && arch !== undefined;
  return {
    name: 'platform', ok, required: true, detail: `${process.platform} ${process.arch}`,
    ...(ok ? {} : { hint: 'Sandlock runs on Linux, x86-64, arm64 and riscv64.' }),
  };
}

function landlockStep(abi: number): CheckStep {
  const ok = abi >= MIN_LANDLOCK_ABI;
  const hint = abi === 0
    ? 'Use Linux 5.13 or later with "landlock" among the security modules (lsm= on the kernel command line).'
    : `All protections need ABI ${MIN_LANDLOCK_ABI}, Linux 6.12. With less, allowDegraded says which may be missing.`;
  return { name: 'landlock', ok: abi > 0, required: true, detail: abi > 0 ? `ABI ${abi}` : 'not available', ...(ok ? {} : { hint }) };
}

/** Guard, user-less confinement and filter, without a supervisor. */
function confinedRun(degradable: Degradable): Promise<CheckStep> {
  return step('confinement', true, 'a program starts under Landlock and a filter', async () => {
    const program = guardProgramPath();
    const box = new Sandbox({ ...degradable, fsReadable: [program], noSupervisor: true });
    expectCode(await box.run([program], { timeout: 10_000 }), 2);
  });
}

/**
 * The same with a listener: the program's exit code is what a handler answered. And what every family with paths in it
 * stands on, read where there is memory for sure: at the instruction that made the call.
 */
async function supervisedRun(degradable: Degradable): Promise<CheckStep[]> {
  let memory: MemoryBytes | undefined;
  const supervisor = await step('supervisor', true, 'a handler answers a system call', async () => {
    const program = guardProgramPath();
    const handlers = [on('getpid', (context) => {
      memory = context.readMemory(context.instructionPointer, 1);
      return action.returnValue(42);
    })];
    const box = new Sandbox({ ...degradable, fsReadable: [program] });
    expectCode(await box.run([program, 'probe'], { timeout: 10_000, handlers }), 42);
  });
  return memory === undefined ? [supervisor] : [supervisor, memoryStep(memory)];
}

function memoryStep(memory: MemoryBytes): CheckStep {
  const name = 'memory';
  if (memory.ok) return { name, ok: true, required: true, detail: 'paths that a program gives can be read' };
  return {
    name, ok: false, required: true, detail: `process_vm_readv(2) is refused (${memory.reason})`,
    hint: 'Set kernel.yama.ptrace_scope to 1 or 0; with 2 it takes CAP_SYS_PTRACE, and with 3 nothing helps. Old filters of containers refuse the call as well.',
  };
}

function childrenStep(): CheckStep {
  const ok = existsSync(`/proc/self/task/${process.pid}/children`);
  return {
    name: 'children', ok, required: false, detail: '/proc/<pid>/task/<tid>/children lists child processes',
    ...(ok ? {} : { hint: 'Without CONFIG_PROC_CHILDREN all of /proc is searched instead: slower.' }),
  };
}

function pidfdGetfdStep(): CheckStep {
  const failure = failureOf(() => {
    const pidfd = pidfdOpen(process.pid);
    try {
      close(pidfdGetfd(pidfd, pidfd));
    } finally {
      close(pidfd);
    }
  });
  return {
    name: 'pidfd_getfd', ok: failure === undefined, required: false,
    detail: failure ?? 'sockets of a program can be looked at',
    ...(failure === undefined ? {} : { hint: 'Sockets that may listen are made by the supervisor instead: with ports to bind, abstract UNIX sockets cannot be connected to. Container filters often deny it.' }),
  };
}

function userStep(degradable: Degradable): Promise<CheckStep> {
  return step('user namespace', false, 'the option "user" works', async () => {
    const program = guardProgramPath();
    const ids = { uid: process.getuid!() + 1, gid: process.getgid!() + 1 };
    const box = new Sandbox({ ...degradable, fsReadable: [program], noSupervisor: true, user: ids });
    expectCode(await box.run([program], { timeout: 10_000 }), 2);
  }, 'Unprivileged user namespaces may be restricted; only the option "user" needs them.');
}

async function step(name: string, required: boolean, detail: string, body: () => Promise<void>, hint?: string): Promise<CheckStep> {
  try {
    await body();
    return { name, ok: true, required, detail };
  } catch (error) {
    return { name, ok: false, required, detail: describe(error), ...(hint === undefined ? {} : { hint }) };
  }
}

function expectCode(result: { exitCode: number | null; reason: string; signal: string | null }, expected: number): void {
  if (result.exitCode === expected) return;
  throw new SandlockError('ERR_SANDLOCK_CHECK', `The probe ended with ${result.signal ?? `exit code ${result.exitCode}`} (${result.reason}), not ${expected}.`);
}

function describe(error: unknown): string {
  if (!(error instanceof SandlockError)) return String(error);
  return error.message.startsWith(error.code) ? error.message : `${error.code}: ${error.message}`;
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

function failureOf(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return describe(error);
  }
}
