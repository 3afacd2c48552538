/**
 * The supervision of one run, from the listener's arrival on. Without a supervisor there is none, and every answer is as such.
 *
 * The first call of a program comes as soon as its listener, so all that can be is made ready before.
 */
import { kernelListener, Supervisor, type DispatchTable, type KernelListener, type SupervisorReport, type SupervisorStats } from '@sandlock/dispatch';
import { close } from '@sandlock/sys';

import type { Confinement } from './confinement.js';
import { killFirst } from './kill-first.js';

export interface SupervisionCallbacks {
  /** Its process id, once there is one. */
  readonly program: () => number | undefined;
  /** A handler wants the tree to end; the program and the caller are being killed already. */
  readonly killTree: () => void;
  readonly report: (report: SupervisorReport) => void;
  /** Nobody answers any more. */
  readonly failed: (error: Error) => void;
}

interface Prepared {
  readonly listener: KernelListener;
  readonly supervisor: Supervisor;
}

export class Supervision {
  readonly #confinement: Confinement;
  readonly #callbacks: SupervisionCallbacks;
  #prepared: Prepared | undefined;
  #hasStarted = false;

  constructor(confinement: Confinement, callbacks: SupervisionCallbacks) {
    this.#confinement = confinement;
    this.#callbacks = callbacks;
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** Whether whoever answers wakes the caller on its own processor. */
  get syncWakeUp(): boolean {
    return this.#prepared?.listener.syncWakeUp ?? false;
  }

  /** To be called while the listener is on its way. */
  prepare(): void {
    const { table } = this.#confinement;
    if (table === undefined) return;
    try {
      this.#prepared = this.#prepare(table);
    } catch {
      // Where no listener can come either, the program's side says why. Otherwise start() meets it again.
    }
  }

  /** @param fd the listener; it is taken over */
  start(fd: number): void {
    const { table, memory } = this.#confinement;
    if (table === undefined) return close(fd);
    try {
      this.#prepared ??= this.#prepare(table);
      this.#prepared.listener.attach(fd);
    } catch (error) {
      close(fd);
      return this.#callbacks.failed(error as Error);
    }
    this.#hasStarted = true;
    try {
      this.#prepared.supervisor.start();
      memory?.watch();
    } catch (error) {
      this.#callbacks.failed(error as Error);
    }
  }

  stats(): SupervisorStats | null {
    return this.#hasStarted ? this.#prepared!.supervisor.stats() : null;
  }

  release(...call: Parameters<Supervisor['release']>): boolean {
    return this.#prepared?.supervisor.release(...call) ?? false;
  }

  unref(): void {
    this.#prepared?.supervisor.unref();
  }

  /** Also ends the handlers of a table that no listener ever came for. @throws what a handler's dispose throws */
  async close(): Promise<void> {
    await (this.#prepared?.supervisor.close() ?? this.#confinement.table?.dispose());
  }

  #prepare(table: DispatchTable): Prepared {
    const listener = kernelListener();
    const supervisor = new Supervisor({
      listener,
      table,
      killTree: ({ pid }) => {
        killFirst(listener, [this.#callbacks.program(), pid], this.#confinement.isMember);
        this.#callbacks.killTree();
      },
      onReport: this.#callbacks.report,
      onFatal: this.#callbacks.failed,
    });
    return { listener, supervisor };
  }
}
