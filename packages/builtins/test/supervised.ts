/**
 * A family over a fake listener. Tasks have this process's own id, so that what a family reads from /proc is there.
 */
import { DispatchTable, Supervisor, type Family, type SupervisorReport } from '@sandlock/dispatch';
import { FakeListener, type FakeNotification, type FakeResponse } from '@sandlock/dispatch/testing';

const running = new Set<Supervisor>();

export class Supervised {
  readonly listener = new FakeListener('x86_64');
  readonly table = new DispatchTable({ arch: 'x86_64' });
  readonly reports: SupervisorReport[] = [];
  readonly supervisor: Supervisor;
  #next = 0x10000n;

  constructor(...families: Family[]) {
    for (const family of families) this.table.family(family);
    this.supervisor = new Supervisor({ listener: this.listener, table: this.table, onReport: (report) => this.reports.push(report) });
    this.supervisor.start();
    running.add(this.supervisor);
  }

  /** Puts a string, or these bytes, into the task's memory. */
  memory(content: string | Uint8Array): bigint {
    const at = this.#next;
    this.#next += 0x10000n;
    if (typeof content === 'string') this.listener.mapString(process.pid, at, Buffer.from(content, 'latin1'));
    else this.listener.map(process.pid, at, content);
    return at;
  }

  async call(name: string, args: readonly (number | bigint)[], notification: FakeNotification = {}): Promise<FakeResponse & { content?: string; cloexec?: boolean }> {
    const call = this.listener.notify(name, { pid: process.pid, args, ...notification });
    const response = await call.answered;
    const injection = call.injections[0];
    return injection === undefined ? response : { ...response, content: String(injection.content), cloexec: injection.cloexec };
  }
}

/** For afterEach. */
export async function closeAll(): Promise<void> {
  for (const supervisor of running) await supervisor.close();
  running.clear();
}
