/**
 * ioctl(2) requests that reach past the sandbox.
 *
 * The kernel takes the request as an unsigned int, so `TIOCSTI | 1 << 32` is TIOCSTI. Requests on the network's
 * interfaces work on any socket, UNIX ones too, and are refused by range: a list of them would be forever short of
 * the newest. include/uapi/asm-generic/ioctls.h, include/uapi/linux/sockios.h.
 */
import { arg32 } from '@sandlock/bpf';

import type { Policy } from '../policy/policy.js';
import type { Denial, RulesByCall } from './call-rules.js';
import { METADATA_IOCTLS } from './metadata-setters.js';

/** They type into the caller's terminal, hang it up, or take its input and the console's output elsewhere. */
export const TERMINAL_IOCTLS: Readonly<Record<string, number>> = {
  TIOCSTI: 0x5412,
  TIOCLINUX: 0x541c,
  TIOCCONS: 0x541d,
  TIOCSETD: 0x5423,
  TIOCVHANGUP: 0x5437,
};

/** With the argument 1 and CAP_SYS_ADMIN it takes a terminal from the session that has it. drivers/tty/tty_jobctrl.c, tiocsctty() */
const TIOCSCTTY = 0x540e;

/**
 * What else a file system or a device does for whoever has a descriptor open for reading. btrfs makes and removes
 * whole subvolumes that way, in any directory that the user may write; Landlock is asked about mkdir(2) and not
 * about these. The last makes what userfaultfd(2) makes, by /dev/userfaultfd.
 * include/uapi/linux/btrfs.h, userfaultfd.h.
 */
export const BYPASSING_IOCTLS: Readonly<Record<string, number>> = {
  BTRFS_IOC_SNAP_CREATE: 0x50009401,
  BTRFS_IOC_SUBVOL_CREATE: 0x5000940e,
  BTRFS_IOC_SNAP_DESTROY: 0x5000940f,
  BTRFS_IOC_SNAP_CREATE_V2: 0x50009417,
  BTRFS_IOC_SUBVOL_CREATE_V2: 0x50009418,
  BTRFS_IOC_SUBVOL_SETFLAGS: 0x4008941a,
  BTRFS_IOC_SNAP_DESTROY_V2: 0x5000943f,
  USERFAULTFD_IOC_NEW: 0xaa00,
};

/**
 * Interfaces, addresses, routes and ARP, from the first after SIOCGSTAMPNS on; in between SIOCOUTQNSD (0x894b)
 * tells how much of a socket's own queue is unsent. Last the wireless extensions.
 */
export const NETWORK_IOCTL_RANGES: readonly (readonly [number, number])[] = [
  [0x8908, 0x894a], [0x894c, 0x89ff], [0x8b00, 0x8bff],
];

export function ioctlRules({ fs, keepCapabilities }: Pick<Policy, 'fs' | 'keepCapabilities'>): RulesByCall {
  const anythingWritable = fs.writable.length > 0;
  const mayTakeTerminals = keepCapabilities === 'all' || keepCapabilities.includes('CAP_SYS_ADMIN');
  const requests = [...Object.values(TERMINAL_IOCTLS), ...Object.values(BYPASSING_IOCTLS), ...(anythingWritable ? [] : Object.values(METADATA_IOCTLS))];
  const deny: Denial[] = [
    ...requests.map((request): Denial => ({ when: [arg32(1).eq(request)], errno: 'EPERM' })),
    ...NETWORK_IOCTL_RANGES.map(([first, last]): Denial => ({ when: [arg32(1).ge(first), arg32(1).le(last)], errno: 'EPERM' })),
    ...(mayTakeTerminals ? [{ when: [arg32(1).eq(TIOCSCTTY), arg32(2).eq(1)], errno: 'EPERM' } as const] : []),
  ];
  return { ioctl: { deny } };
}
