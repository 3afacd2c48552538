/**
 * ioctl(2) requests that reach past the sandbox.
 *
 * The kernel takes the request as an unsigned int, so `TIOCSTI | 1 << 32` is TIOCSTI. Requests on the network's
 * interfaces work on any socket, UNIX ones too, and are refused by range: a list of them would be forever short of
 * the newest. include/uapi/asm-generic/ioctls.h, include/uapi/linux/sockios.h.
 */
import { arg32 } from '@sandlock/bpf';

import type { Denial, RulesByCall } from './call-rules.js';
import { METADATA_IOCTLS } from './metadata-setters.js';

/** They type into the caller's terminal, or take its input and the console's output elsewhere. */
export const TERMINAL_IOCTLS: Readonly<Record<string, number>> = {
  TIOCSTI: 0x5412,
  TIOCLINUX: 0x541c,
  TIOCCONS: 0x541d,
  TIOCSETD: 0x5423,
};

/**
 * Interfaces, addresses, routes and ARP, from the first after SIOCGSTAMPNS on; in between SIOCOUTQNSD (0x894b)
 * tells how much of a socket's own queue is unsent. Last the wireless extensions.
 */
export const NETWORK_IOCTL_RANGES: readonly (readonly [number, number])[] = [
  [0x8908, 0x894a], [0x894c, 0x89ff], [0x8b00, 0x8bff],
];

export function ioctlRules(anythingWritable: boolean): RulesByCall {
  const requests = [...Object.values(TERMINAL_IOCTLS), ...(anythingWritable ? [] : Object.values(METADATA_IOCTLS))];
  const deny: Denial[] = [
    ...requests.map((request): Denial => ({ when: [arg32(1).eq(request)], errno: 'EPERM' })),
    ...NETWORK_IOCTL_RANGES.map(([first, last]): Denial => ({ when: [arg32(1).ge(first), arg32(1).le(last)], errno: 'EPERM' })),
  ];
  return { ioctl: { deny } };
}
