/**
 * The /etc/hosts that a target sees: the same on every machine.
 *
 * The machine's own tells of its names and its network. Here stand the loopback names, and whatever else a sandbox is
 * to find without asking a name server. Composed once; the file cannot change while a program looks at it.
 * hosts(5)
 */
import { isIP } from 'node:net';

import { viewFile } from './views/view-file.js';
import type { View } from './views/view.js';

export interface HostEntry {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** At least one; the first is the canonical one. */
  readonly names: readonly string[];
}

const LOOPBACK = '127.0.0.1 localhost\n::1 localhost\n';

/** @throws {RangeError} an address that is none, or a name with blanks or a comment in it */
export function hosts(entries: readonly HostEntry[] = []): View {
  const content = Buffer.from(LOOPBACK + entries.map(line).join(''));
  return viewFile('/etc/hosts', () => content);
}

function line({ address, names }: HostEntry): string {
  if (isIP(address) === 0 || address.includes('%')) throw new RangeError(`${JSON.stringify(address)} is no IP address.`);
  if (names.length === 0 || !names.every((name) => /^[^\s#\0]+$/.test(name))) {
    throw new RangeError(`Names of a host are words without "#", at least one; not ${JSON.stringify(names)}.`);
  }
  return `${address} ${names.join(' ')}\n`;
}
