/**
 * What a view's anonymous file is called: after the name under which it was opened, for who meets its descriptor again.
 *
 * A program may call one of its own so too. So the name says no more than which view such a file passes for, and may be used
 * only for what the program can learn of that view anyway.
 * memfd_create(2); proc_pid_fd(5); mm/memfd.c, MFD_NAME_MAX_LEN
 */
import { procName } from './proc-name.js';

const OURS = 'sandlock';
const MAX_BYTES = 249;
const LINK = /^\/memfd:sandlock:(\/.*) \(deleted\)$/s;

/**
 * @param path of the view
 * @param name under which it was found, which may be another one of the same file
 */
export function memfdName(path: string, name: string): Buffer {
  const canonical = procName(name).view === path ? name : path;
  const fitting = [canonical, path].map((each) => `${OURS}:${each}`).find(({ length }) => length <= MAX_BYTES) ?? OURS;
  return Buffer.from(fitting, 'latin1');
}

/** @param link what /proc/<pid>/fd says of a descriptor, a character a byte. @returns undefined: it is none of these */
export function nameOfMemfd(link: string): string | undefined {
  return LINK.exec(link)?.[1];
}
