/**
 * What the kernel judges a task's file access by, as /proc/<tid>/status tells.
 *
 * The first lines hold the name, which is of the task's own choice, but with its newlines escaped: a field found at the
 * start of a line is the kernel's. proc_pid_status(5)
 */
import { readFileOnce } from '@sandlock/sys';

import { unlessGone } from '../proc-file.js';

export interface TaskStatus {
  readonly tgid: number;
  /** The user and group of file access: the fourth of each line. setfsuid(2) */
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Effective capabilities, in the user namespace of the task. */
  readonly capabilities: bigint;
  readonly umask: number;
}

/** One read gives it whole: some 1.5 kB, more with very many groups or processors. */
const buffer = Buffer.alloc(64 * 1024);

/** @returns undefined when there is no such task, or /proc hides it */
export function readTaskStatus(tid: number | 'self'): TaskStatus | undefined {
  const text = unlessGone(() => buffer.toString('latin1', 0, readFileOnce(`/proc/${tid}/status`, buffer)));
  if (text === undefined) return undefined;
  const field = (name: string): string => {
    const at = text.indexOf(`\n${name}:`);
    return at < 0 ? '' : text.slice(at + name.length + 2, text.indexOf('\n', at + 1)).trim();
  };
  const status = {
    tgid: Number.parseInt(field('Tgid'), 10),
    fsuid: Number(field('Uid').split('\t')[3] ?? NaN),
    fsgid: Number(field('Gid').split('\t')[3] ?? NaN),
    groups: field('Groups').split(' ').filter((each) => each !== '').map(Number),
    capabilities: BigInt(`0x${field('CapEff') || '0'}`),
    umask: Number.parseInt(field('Umask'), 8),
  };
  return Number.isNaN(status.tgid + status.fsuid + status.fsgid) ? undefined : status;
}
