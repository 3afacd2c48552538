/**
 * The children of a process, thread by thread.
 *
 * A child belongs to the thread that made it, and moves to another thread, or to a process further up, when
 * that one ends. /proc lists them without a lock over the whole list: when an entry is reaped while the list is
 * being read, the one behind it may be left out. But then the same list read again lacks that entry, so two
 * readings that agree are complete. fs/proc/array.c, get_children_pid()
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

let buffer = Buffer.alloc(16384);
let supported: boolean | undefined;

/** Whether this kernel has the lists (CONFIG_PROC_CHILDREN). */
export function hasChildrenLists(): boolean {
  if (supported === undefined) {
    try {
      readFileSync(`/proc/self/task/${process.pid}/children`);
      supported = true;
    } catch {
      supported = false;
    }
  }
  return supported;
}

/**
 * What /proc lists as children of these threads, as text: "101 102 |103 ". Equal text, equal children.
 *
 * @returns undefined when a thread is gone
 */
export function listChildren(pid: number, tids: readonly number[]): string | undefined {
  let all = '';
  for (const tid of tids) {
    const list = readList(`/proc/${pid}/task/${tid}/children`);
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
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function readList(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    let length = 0;
    for (let got = -1; got !== 0; length += got) { // a page at a time, however large the buffer
      if (length === buffer.length) buffer = Buffer.concat([buffer], length * 2);
      got = readSync(fd, buffer, length, buffer.length - length, null);
    }
    return buffer.toString('latin1', 0, length);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
