/**
 * A supervisor over a fake listener, for the tests of this package.
 */
import { DispatchTable, Supervisor, type Handler, type HandlerOptions, type SupervisorOptions, type SupervisorReport } from '../src/index.js';
import { FakeListener } from '../src/testing.js';

export interface Supervised {
  readonly listener: FakeListener;
  readonly table: DispatchTable;
  readonly supervisor: Supervisor;
  readonly reports: SupervisorReport[];
}

type Entry = readonly [syscall: string, handler: Handler, options?: HandlerOptions];

const running = new Set<Supervisor>();

/** Started, with these handlers of the user. */
export function supervised(
  entries: readonly Entry[] | DispatchTable,
  options: Omit<Partial<SupervisorOptions>, 'listener' | 'table'> = {},
): Supervised {
  const table = entries instanceof DispatchTable ? entries : new DispatchTable({ arch: 'x86_64' });
  if (!(entries instanceof DispatchTable)) for (const [name, handler, opts] of entries) table.on(name, handler, opts);
  const listener = new FakeListener('x86_64');
  listener.groups.set(1000, 1000);
  const reports: SupervisorReport[] = [];
  const supervisor = new Supervisor({ onReport: (report) => reports.push(report), ...options, listener, table });
  supervisor.start();
  running.add(supervisor);
  return { listener, table, supervisor, reports };
}

/** For afterEach. */
export async function closeAll(): Promise<void> {
  for (const supervisor of running) await supervisor.close().catch(() => undefined);
  running.clear();
}

export function turn(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve); });
}

/** Waits until it holds; the test's own time limit is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => { setTimeout(resolve, 2); });
}

export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
}
