/**
 * Programs under families, for the live tests: a guard, a filter that notifies what the families registered, a
 * supervisor. Nothing else confines them. Everything that is started here is ended here, with its guard.
 */
import { allow, compileFilter, errno, nativeArch, userNotif, type Rule } from '@sandlock/bpf';
import { DispatchTable, kernelListener, Supervisor, type Family, type SupervisorReport } from '@sandlock/dispatch';
import { close, GuardedProcess, openat, pipe, AT_FDCWD, type TargetExit } from '@sandlock/sys';
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const arch = nativeArch(process.arch);
export const hasPython = spawnSync('/usr/bin/python3', ['--version']).status === 0;
/** Under the filter of a stock container, which answers some calls before the kernel does: scripts/test/in-container.mjs. */
export const inContainer = process.env['SANDLOCK_TEST_CONTAINER'] === '1';
export const hasGcc = spawnSync('gcc', ['--version']).status === 0;

export interface Result {
  readonly exit: TargetExit;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<Sandboxed>();

export class Sandboxed {
  readonly done: Promise<Result>;
  readonly reports: SupervisorReport[] = [];
  readonly supervisor: Promise<Supervisor>;
  guardPid = 0;
  targetPid = 0;
  readonly #guard: GuardedProcess;
  readonly #ended: Promise<void>;

  constructor(argv: readonly string[], families: (guardPid: () => number) => readonly Family[], stdin = '/dev/null') {
    const table = new DispatchTable();
    for (const family of families(() => this.guardPid)) table.family(family);
    const rules = table.registrations().flatMap(({ nr, when }): Rule[] => (
      (when ?? [[]]).map((conditions) => ({ syscall: nr, when: [...conditions], action: userNotif() }))));
    rules.push({ syscall: 'clone3', action: errno('ENOSYS') });
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch, rules }] });

    const input = openat(AT_FDCWD, stdin, 0);
    const [outRead, outWrite] = pipe();
    const [errRead, errWrite] = pipe();
    const output = [outRead, errRead].map(collect);
    let supervisor!: Supervisor;
    let ended!: () => void;
    const allEnded = (this.#ended = new Promise((resolve) => { ended = resolve; }));
    let gaveSupervisor!: (value: Supervisor) => void;
    this.supervisor = new Promise((resolve) => { gaveSupervisor = resolve; });
    let exited!: (exit: TargetExit) => void;
    const exit = new Promise<TargetExit>((resolve) => { exited = resolve; });
    this.#guard = GuardedProcess.spawn({
      argv, env: ['PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8'], stdio: [input, outWrite, errWrite], filter: filter.bytes, listener: true,
      cwd: '/', keepCapabilities: 'all',
    }, {
      started: (pid) => {
        this.targetPid = pid;
        this.guardPid = parentOf(pid);
      },
      listener: (fd) => {
        supervisor = new Supervisor({ listener: kernelListener(fd), table, onReport: (report) => this.reports.push(report) });
        supervisor.start();
        gaveSupervisor(supervisor);
      },
      failed: (step, code) => exited({ code: -code, signal: null, userMs: 0, systemMs: 0, maxRssBytes: 0, step } as TargetExit),
      exited,
      ended: () => ended(),
    });
    for (const fd of [input, outWrite, errWrite]) close(fd);
    this.done = (async () => {
      const [status, stdout, stderr] = await Promise.all([exit, ...output]);
      await allEnded;
      await supervisor?.close();
      return { exit: status, stdout: stdout!, stderr: stderr! };
    })();
    running.add(this);
  }

  /** Ends every process of it and waits for that. */
  async end(): Promise<void> {
    running.delete(this);
    this.#guard.kill();
    await this.#ended;
  }
}

/** For afterEach. */
export async function endAll(): Promise<void> {
  for (const each of running) await each.end();
}

let directory: string | undefined;

/** Compiles a program of test/targets. */
export function compiled(name: string, flags: readonly string[] = [], compiler = 'gcc'): string {
  directory ??= mkdtempSync(join(tmpdir(), 'builtins-live-'));
  const file = join(directory, [name, ...flags, compiler].join(''));
  const source = fileURLToPath(new URL(`../targets/${name}.c`, import.meta.url));
  const { status, stderr } = spawnSync(compiler, ['-O1', '-Wall', '-pthread', ...flags, '-o', file, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${compiler}: ${stderr}`);
  return file;
}

/** For afterAll. */
export function removeCompiled(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
}

/** Living processes below this one, counted by the test's own reading of /proc. */
export function countLiving(guardPid: number): number {
  const parents = new Map<number, number>();
  const living: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    let status: string;
    try {
      status = readFileSync(`/proc/${name}/status`, 'latin1');
    } catch {
      continue;
    }
    parents.set(Number(name), Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]));
    const zombie = /^State:\s*[ZX]/m.test(status) && /^Threads:\s*[01]$/m.test(status);
    if (!zombie) living.push(Number(name));
  }
  return living.filter((pid) => {
    for (let at = parents.get(pid); at !== undefined && at > 0; at = parents.get(at)) if (at === guardPid) return true;
    return false;
  }).length;
}

/** 0 if it has ended and been reaped: a short program may be over before we hear that it was started. */
function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return 0;
  }
}

async function collect(fd: number): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream('', { fd })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
