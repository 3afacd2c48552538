/**
 * Which file a view passes for: the machine's own of that name, where there is one.
 *
 * Programs tell files apart by device and inode, and take a file whose numbers have changed for one that was replaced. So a
 * view has the same by its name and by every descriptor, and no two views have the same.
 * inode(7)
 */
import { fstatSync } from 'node:fs';

import { withMachinesFile } from './machines-file.js';

export interface ShownIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: bigint;
}

/** No device has it: whoever compares shall not take the view for another file. */
const NO_DEVICE = 0n;
/**
 * @param name canonical, of something that has a view; a character a byte
 * @param tid  the thread that asks
 */
export function shownIdentity(name: string, tid: number): ShownIdentity {
  return withMachinesFile(name, tid, (fd) => fstatSync(fd, { bigint: true })) ?? { dev: NO_DEVICE, ino: BigInt(numberOf(name)) + 1n, nlink: 1n };
}

/** FNV-1a, 32 bits. */
function numberOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
