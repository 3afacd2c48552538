/**
 * The sockets of a sandbox: those that a member has open, by inode.
 *
 * Not by port, since a program of the machine may have the same one. Looked up only when a table is opened. A socket
 * that is in nobody's descriptor table, closing or on its way through another, is not found; nor is one of a
 * member whose descriptors this process may not see.
 */
import { readdirSync } from 'node:fs';

import { descriptorLink, unlessGone } from '../proc-file.js';

/** Some 50 ms of the supervisor's thread, which a program may ask for as often as it likes. */
const MAX_DESCRIPTORS = 10_000;

/** @throws {Error} they have more descriptors than may be looked at */
export function socketInodes(pids: readonly number[]): ReadonlySet<string> {
  const inodes = new Set<string>();
  let left = MAX_DESCRIPTORS;
  for (const pid of pids) {
    const fds = unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    if ((left -= fds.length) < 0) throw new Error('The processes of the sandbox have too many descriptors to look through.');
    for (const fd of fds) {
      const inode = /^socket:\[(\d+)\]$/.exec(descriptorLink(pid, fd) ?? '')?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}
