/**
 * Names of a procfs: whose directory a name lies in, and what views call it.
 *
 * A process is found under its own number, under the number of each of its threads, and below `task`; its files are the
 * same by all of these. So views know them by one name, `/proc/self/NAME`.
 * proc(5), proc_tid(5)
 */
export const PROC = '/proc';

export interface ProcName {
  /** `/proc/self/NAME` in a directory of a process or thread, otherwise the name itself. */
  readonly view: string;
  /** Whose directory it lies in, as the numbers in the name say; undefined outside of them. */
  readonly owner: { readonly pid: number; readonly tgid: number } | undefined;
  /** What follows the directory of the process or thread: '' for the directory itself. */
  readonly rest: string;
}

const OWNED = /^\/proc\/(\d+)(?:\/task\/(\d+))?(?=\/|$)/;

/** @param name canonical, a character a byte */
export function procName(name: string): ProcName {
  const found = OWNED.exec(name);
  if (found === null) return { view: name, owner: undefined, rest: '' };
  const tgid = Number(found[1]);
  const rest = name.slice(found[0].length);
  return { view: `/proc/self${rest}`, owner: { tgid, pid: found[2] === undefined ? tgid : Number(found[2]) }, rest };
}

export function isInProc(name: string): boolean {
  return name === PROC || name.startsWith(`${PROC}/`);
}
