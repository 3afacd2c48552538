/**
 * The children of a process, thread by thread.
 *
 * A child belongs to the thread that made it, and moves to another thread, or to a process further up, when
 * that one ends. /proc lists them without a lock over the whole list: when an entry is reaped while the list is
 * being read, the one behind it may be left out. But then the same list read again lacks that entry, so two
 * readings that agree are complete. fs/proc/array.c, get_children_pid()
 */
import { existsSync, readdirSync } from 'node:fs';

import { readWhole, unlessGone } from './proc-file.js';

const buffer = Buffer.alloc(4096);
let supported: boolean | undefined;

/** Whether this kernel has the lists (CONFIG_PROC_CHILDREN). */
export function hasChildrenLists(): boolean {
  return (supported ??= existsSync(`/proc/self/task/${process.pid}/children`));
}

/**
 * What /proc lists as children of these threads, as text: "101 102 |103 ". Equal text, equal children.
 *
 * @returns undefined when a thread is gone
 */
export function listChildren(pid: number, tids: readonly number[]): string | undefined {
  let all = '';
  for (const tid of tids) {
    const list = unlessGone(() => readWhole(`/proc/${pid}/task/${tid}/children`, buffer));
    if (list === undefined) return undefined;
    all += tids.length === 1 ? list : `|${list}`;
  }
  return all;
}

export function childPids(list: string): number[] {
  return list === '' ? [] : Array.from(list.matchAll(/\d+/g), ([digits]) => Number(digits));
}

/** @returns empty when the process is gone */
export function listThreads(pid: number): number[] {
  return unlessGone(() => readdirSync(`/proc/${pid}/task`).map(Number)) ?? [];
}
