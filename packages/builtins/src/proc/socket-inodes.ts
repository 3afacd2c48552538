/**
 * The sockets of a sandbox: those that a member has open, by inode.
 *
 * Not by port, since a program of the machine may have the same one. Looked up only when a table is opened. A socket
 * that is in nobody's descriptor table, closing or on its way through another, is not found; nor is one of a
 * member whose descriptors this process may not see.
 */
import { readdirSync, readlinkSync } from 'node:fs';

import { unlessGone } from '../proc-file.js';

export function socketInodes(pids: readonly number[]): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const pid of pids) {
    for (const fd of unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const link = unlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const inode = /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}
