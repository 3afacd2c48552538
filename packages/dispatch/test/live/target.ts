/**
 * Targets for the live tests: a python3 program under a filter that notifies what a table says.
 *
 * The filter goes on the target's own process, since it cannot be taken off again. Everything that is
 * started here is ended here, by its own id.
 */
import { allow, compileFilter, nativeArch, syscallNumber, userNotif, type Rule } from '@sandlock/bpf';
import { close, pidfdGetfd, pidfdOpen } from '@sandlock/sys';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { type DispatchTable, kernelListener, Supervisor, type Listener, type SupervisorOptions, type SupervisorReport } from '../../src/index.js';

export const arch = nativeArch(process.arch);
export const hasPython = spawnSync('python3', ['--version']).status === 0;

export type Argument = number | { text: string } | { space: number } | { edge: string } | { readOnly: number };

export interface CallResult {
  readonly result: number;
  readonly errno: number;
  readonly buffers: readonly string[];
  readonly tid?: number;
}

const PROGRAM = fileURLToPath(new URL('../targets/target.py', import.meta.url));

export class Target {
  readonly child: ChildProcess;
  readonly listener: Listener;
  readonly supervisor: Supervisor;
  readonly reports: readonly SupervisorReport[];
  readonly exited: Promise<NodeJS.Signals | null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(
    child: ChildProcess, reader: Interface, lines: AsyncIterator<string>,
    listener: Listener, supervisor: Supervisor, reports: readonly SupervisorReport[],
  ) {
    this.child = child;
    this.reports = reports;
    this.#reader = reader;
    this.#lines = lines;
    this.listener = listener;
    this.supervisor = supervisor;
    this.exited = new Promise((resolve) => { child.once('exit', (_, signal) => { resolve(signal); }); });
  }

  static async start(table: DispatchTable, options: Partial<SupervisorOptions> = {}): Promise<Target> {
    const rules = table.registrations().flatMap(({ nr, when }): Rule[] => (
      when === undefined ? [{ syscall: nr, action: userNotif() }]
        : when.map((conditions) => ({ syscall: nr, when: [...conditions], action: userNotif() }))));
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch, rules }] });
    // A group of its own, so that the group can be killed.
    const child = spawn('python3', ['-u', PROGRAM, String(syscallNumber(arch, 'seccomp')), Buffer.from(filter.bytes).toString('hex')],
      { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    const reader = createInterface({ input: child.stdout! });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) throw new Error('The target ended before it had a listener.');
    const pidfd = pidfdOpen(child.pid!);
    const { listener: theirs } = JSON.parse(first.value) as { listener: number };
    const fd = pidfdGetfd(pidfd, theirs);
    close(pidfd);
    const listener = kernelListener(fd);
    const reports: SupervisorReport[] = [];
    const supervisor = new Supervisor({ onReport: (report) => reports.push(report), ...options, listener, table });
    supervisor.start();
    const target = new Target(child, reader, lines, listener, supervisor, reports);
    // While the target has a copy, the listener outlives our closing it, and calls would wait for good.
    await target.ask({ op: 'close', fd: theirs });
    return target;
  }

  call(name: string, ...args: Argument[]): Promise<CallResult> {
    return this.ask({ op: 'call', nr: syscallNumber(arch, name), args });
  }

  callInThread(name: string, ...args: Argument[]): Promise<CallResult> {
    return this.ask({ op: 'thread', nr: syscallNumber(arch, name), args });
  }

  async ask<T>(request: unknown): Promise<T> {
    this.send(request);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('The target has ended.');
    return JSON.parse(line.value) as T;
  }

  /** Without waiting for the answer. */
  send(request: unknown): void {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
  }

  async end(): Promise<void> {
    await this.supervisor.close();
    this.child.stdin!.destroy();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.exited;
    }
    this.#reader.close();
  }
}
