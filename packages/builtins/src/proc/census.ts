/**
 * What the members of a sandbox come to: how many there are, how many run, and the processor time they took.
 *
 * Time of children that were waited for counts with their parent, and with the guard for those that nobody else waited
 * for. A child whose parent ignores SIGCHLD takes its time along, so the sum is kept from going back.
 * proc_pid_stat(5)
 */
import { readFileSync } from 'node:fs';

import { unlessGone } from '../proc-file.js';
import { fieldAt, statFields } from '../stat-line.js';
import type { Members } from '../views/members.js';
import type { CpuUse } from './kernel-stat.js';
import type { Counts } from './load-average.js';

/** States of a process that runs, or waits for a disk. */
const BUSY = new Set(['R', 'D']);

export class Census {
  readonly #members: Members;
  readonly #guardPid: () => number;
  #user = 0;
  #system = 0;

  constructor(members: Members, guardPid: () => number) {
    this.#members = members;
    this.#guardPid = guardPid;
  }

  take(): Counts & CpuUse {
    const pids = this.#members.pids();
    const stats = pids.map(fieldsOf).filter((fields) => fields !== undefined);
    const guard = fieldsOf(this.#guardPid());
    // utime, stime, cutime and cstime are the fields 14 to 17; of the guard only what its children took.
    this.#user = Math.max(this.#user, stats.reduce((sum, field) => sum + field(14) + field(16), guard?.(16) ?? 0));
    this.#system = Math.max(this.#system, stats.reduce((sum, field) => sum + field(15) + field(17), guard?.(17) ?? 0));
    return {
      running: stats.filter(({ state }) => BUSY.has(state)).length,
      total: pids.length,
      lastPid: pids.at(-1) ?? 0,
      userTicks: this.#user,
      systemTicks: this.#system,
    };
  }
}

type Fields = ((number: number) => number) & { readonly state: string };

function fieldsOf(pid: number): Fields | undefined {
  const line = unlessGone(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = line === undefined ? undefined : statFields(line, 17);
  if (fields === undefined) return undefined;
  return Object.assign((number: number) => Number(fieldAt(fields, number) ?? 0), { state: fieldAt(fields, 3)! });
}
