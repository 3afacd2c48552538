/**
 * The sockets of a sandbox: those that a member has open, by inode.
 *
 * Not by port, since a program of the machine may have the same one. Looked up only when a table is opened, in another
 * thread: members have as many descriptors as they like. A socket that is in nobody's descriptor table, closing or on its
 * way through another, is not found; nor is one of a member whose descriptors this process may not see.
 */
import { listFilesAside, SyscallError } from '@sandlock/sys';

/** Half a second of processor time, or less, which a program may ask for as often as it likes. */
const MAX_DESCRIPTORS = 131_072;
const GONE_OR_HIDDEN = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/** @throws {Error} they have more descriptors than may be looked at */
export async function socketInodes(pids: readonly number[]): Promise<ReadonlySet<number>> {
  const inodes = new Set<number>();
  let left = MAX_DESCRIPTORS;
  for (const pid of pids) {
    try {
      const { blocks, looked, complete } = await listFilesAside(pid, 'socket:[', left);
      if (!complete) throw new Error('The processes of the sandbox have too many descriptors to look through.');
      left -= looked;
      for (const inode of blocks.keys()) inodes.add(inode);
    } catch (error) {
      if (!(error instanceof SyscallError) || !GONE_OR_HIDDEN.has(error.code)) throw error;
    }
  }
  return inodes;
}
