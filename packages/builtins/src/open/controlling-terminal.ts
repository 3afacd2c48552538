/**
 * The target's own /dev/tty.
 *
 * The name stands for the controlling terminal of whoever opens it, so a supervisor that opened it would hand out its
 * own. The kernel tells which device the target's is, but a device number may mean another terminal in another
 * devpts; so it is opened through a descriptor of the target that has it, or, where both are in one session, by the
 * name. tty(4), proc_pid_stat(5), field 7
 */
import { AT_FDCWD, O_NOCTTY, openat } from '@sandlock/sys';
import { readdirSync, readFileSync, statSync } from 'node:fs';

/** Major 5, minor 0. Documentation/admin-guide/devices.txt */
export const DEV_TTY = 0x500;

/** @returns a descriptor, or undefined: it has none, or none that we can reach. @throws {SyscallError} the open's own error */
export function openControllingTerminal(tgid: number, flags: number): number | undefined {
  const { session, tty } = sessionOf(tgid);
  if (tty === 0) return undefined;
  const own = sessionOf('self');
  if (own.session === session && own.tty === tty) return openat(AT_FDCWD, '/dev/tty', flags | O_NOCTTY);
  for (const fd of readdirSync(`/proc/${tgid}/fd`)) {
    const link = `/proc/${tgid}/fd/${fd}`;
    const stat = statSync(link, { throwIfNoEntry: false });
    if (stat?.isCharacterDevice() === true && stat.rdev === tty) return openat(AT_FDCWD, link, flags | O_NOCTTY);
  }
  return undefined;
}

function sessionOf(pid: number | 'self'): { session: number; tty: number } {
  const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' '); // the state, field 3, comes first
  return { session: Number(fields[3]), tty: toRdev(Number(fields[4])) };
}

/** new_encode_dev() of the kernel into what stat(2) says: minors above 255 stand in the upper bits. include/linux/kdev_t.h */
function toRdev(encoded: number): number {
  return encoded >>> 0; // st_rdev of 64 bits has the same layout for majors below 4096
}
