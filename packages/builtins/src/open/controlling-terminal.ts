/**
 * The target's own /dev/tty.
 *
 * The name stands for the controlling terminal of whoever opens it, so a supervisor that opened it would hand out its
 * own. The kernel tells which device the target's is, but a device number may mean another terminal in another
 * devpts; so it is opened through a descriptor of the target that has it, or, where both are in one session, by the
 * name. A number of the target may stand for another file at any time, so what it stands for is pinned and then looked at; and
 * since the target may have pinned no more itself, it is opened with the target's rights.
 * tty(4), proc_pid_stat(5), field 7
 */
import { AT_FDCWD, close, O_NOCTTY, O_PATH, openat } from '@sandlock/sys';
import { fstatSync, readdirSync, readFileSync } from 'node:fs';

import { fieldAt, statFields } from '../stat-line.js';
import { errnoOf } from './errno-of.js';

/** Major 5, minor 0. Documentation/admin-guide/devices.txt */
export const DEV_TTY = 0x500;

/**
 * @param guarded  does something with the target's rights
 * @returns a descriptor, or undefined: it has none, or none that we can reach
 * @throws {SyscallError} the open's own error
 */
export function openControllingTerminal(tgid: number, flags: number, guarded: <T>(work: () => T) => T): number | undefined {
  const { session, tty } = sessionOf(tgid);
  if (tty === 0) return undefined;
  const own = sessionOf('self');
  const open = (path: string): number => guarded(() => openat(AT_FDCWD, path, flags | O_NOCTTY));
  if (own.session === session && own.tty === tty) return open('/dev/tty');
  for (const number of readdirSync(`/proc/${tgid}/fd`)) {
    const pinned = pin(`/proc/${tgid}/fd/${number}`);
    if (pinned === undefined) continue;
    try {
      const stat = fstatSync(pinned);
      if (stat.isCharacterDevice() && stat.rdev === tty) return open(`/proc/self/fd/${pinned}`);
    } finally {
      close(pinned);
    }
  }
  return undefined;
}

/** undefined: the number stands for nothing any more. */
function pin(link: string): number | undefined {
  try {
    return openat(AT_FDCWD, link, O_PATH);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function sessionOf(pid: number | 'self'): { session: number; tty: number } {
  const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'latin1'), 7) ?? [];
  return { session: Number(fieldAt(fields, 6)), tty: toRdev(Number(fieldAt(fields, 7))) };
}

/** new_encode_dev() of the kernel into what stat(2) says: minors above 255 stand in the upper bits. include/linux/kdev_t.h */
function toRdev(encoded: number): number {
  return encoded >>> 0; // st_rdev of 64 bits has the same layout for majors below 4096
}
