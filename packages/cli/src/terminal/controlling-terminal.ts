/**
 * Our place on the terminal, read from /proc: asking node:tty costs the start-up that a run does not have.
 *
 * proc_pid_stat(5): (5) pgrp, (7) tty_nr, (8) tpgid.
 */
import { fstatSync, readFileSync } from 'node:fs';

/** /dev/tty, which is whatever terminal the opener has: major 5, minor 0. */
const DEV_TTY = 5 << 8;

/** A descriptor is the terminal of our session: the one that has a foreground group which we can be in. */
export function isOurTerminal(fd: number): boolean {
  const { tty } = position();
  if (tty === 0) return false;
  try {
    const { rdev } = fstatSync(fd);
    return rdev === tty || rdev === DEV_TTY;
  } catch {
    return false; // closed
  }
}

/** The terminal's foreground group is ours. */
export function inForeground(): boolean {
  const { group, foregroundGroup } = position();
  return group === foregroundGroup;
}

function position(): { group: number; tty: number; foregroundGroup: number } {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // The second field is the name of the program, in parentheses, and may hold anything, also ")".
  const [, , group, , tty, foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  return { group: group!, tty: tty!, foregroundGroup: foregroundGroup! };
}
