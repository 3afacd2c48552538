/**
 * The supervision of one run, from the listener's arrival on. Without a supervisor there is none, and every answer is as such.
 */
import { kernelListener, Supervisor, type SupervisorReport, type SupervisorStats } from '@sandlock/dispatch';
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

export class Supervision {
  readonly #confinement: Confinement;
  readonly #callbacks: SupervisionCallbacks;
  #supervisor: Supervisor | undefined;
  #syncWakeUp = false;

  constructor(confinement: Confinement, callbacks: SupervisionCallbacks) {
    this.#confinement = confinement;
    this.#callbacks = callbacks;
  }

  get hasStarted(): boolean {
    return this.#supervisor !== undefined;
  }

  /** Whether whoever answers wakes the caller on its own processor. */
  get syncWakeUp(): boolean {
    return this.#syncWakeUp;
  }

  /** @param fd the listener; it is taken over */
  start(fd: number): void {
    const { table, memory, isMember } = this.#confinement;
    if (table === undefined) return close(fd);
    try {
      const listener = kernelListener(fd);
      this.#syncWakeUp = listener.syncWakeUp;
      this.#supervisor = new Supervisor({
        listener,
        table,
        killTree: ({ pid }) => {
          killFirst(listener, [this.#callbacks.program(), pid], isMember);
          this.#callbacks.killTree();
        },
        onReport: this.#callbacks.report,
        onFatal: this.#callbacks.failed,
      });
      this.#supervisor.start();
      memory?.watch();
    } catch (error) {
      if (this.#supervisor === undefined) close(fd);
      this.#callbacks.failed(error as Error);
    }
  }

  stats(): SupervisorStats | null {
    return this.#supervisor?.stats() ?? null;
  }

  release(...call: Parameters<Supervisor['release']>): boolean {
    return this.#supervisor?.release(...call) ?? false;
  }

  unref(): void {
    this.#supervisor?.unref();
  }

  /** Also ends the handlers of a table that no listener ever came for. @throws what a handler's dispose throws */
  async close(): Promise<void> {
    await (this.#supervisor?.close() ?? this.#confinement.table?.dispose());
  }
}
