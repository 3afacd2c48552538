/**
 * A directory that a target has open, and where the target is in it.
 *
 * It is looked at by its descriptor and never by its name, so one that was renamed or removed is still the same. With a
 * copy of the descriptor (pidfd_getfd(2)) the position is the open file's own: lseek(2), duplicates and children that
 * share it need nothing from us. Where a container's filter denies that call, the directory is opened anew through
 * /proc, and positions are kept in a {@link PositionStore}. Not on btrfs and bcachefs, where one cannot tell that it is the
 * same: EACCES.
 */
import { asInt32, TargetFailure, type HandlerContext } from '@sandlock/dispatch';
import { AT_FDCWD, close, lseek64, O_DIRECTORY, O_PATH, O_RDONLY, openat, SyscallError } from '@sandlock/sys';
import { fstatSync, statfsSync, statSync } from 'node:fs';

import { descriptorInfo } from '../descriptor-info.js';
import { processOf } from './process-of.js';
import type { Identity, PositionStore } from './position-store.js';

const SEEK_SET = 0;
const SEEK_CUR = 1;

export interface TargetDirectory {
  /** Ours, for reading and for looking; its own position has no meaning between two calls here. */
  readonly fd: number;
  /** Whether `fd` and the target's descriptor are one open file. */
  readonly shared: boolean;
  readonly position: bigint;
  /** Where the target's next call goes on. @throws {SyscallError} the file system knows no such position */
  seek(position: bigint): void;
  /** The target has been told that this is the end. */
  ended(): void;
  close(): void;
}

/** @returns a failure with the kernel's errno, or `notDirectory` */
export function openTargetDirectory(
  context: HandlerContext, register: bigint, store: PositionStore,
): TargetDirectory | TargetFailure | 'notDirectory' {
  const fd = asInt32(register);
  if (fd < 0) return new TargetFailure('badFd');
  const link = `/proc/${context.pid}/fd/${fd}`;
  try {
    // Before a copy is made: closing one of a socket may take as long as the target likes.
    if (!statSync(link).isDirectory()) return context.isValid() ? 'notDirectory' : new TargetFailure('gone');
    const copy = store.copiesDescriptors ? context.dupFd(fd) : undefined;
    if (copy?.ok === true) return new SharedDirectory(copy.fd);
    if (copy !== undefined && copy.reason !== 'noAccess') return copy;
    return reopened(context, fd, link, store);
  } catch (error) {
    return refusal(error as NodeJS.ErrnoException);
  }
}

class SharedDirectory implements TargetDirectory {
  readonly shared = true;
  readonly position: bigint;

  constructor(readonly fd: number) {
    try {
      this.position = lseek64(fd, 0n, SEEK_CUR);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  seek(position: bigint): void {
    lseek64(this.fd, position, SEEK_SET);
  }

  ended(): void {}

  close(): void {
    close(this.fd);
  }
}

function reopened(context: HandlerContext, number: number, link: string, store: PositionStore): TargetDirectory | TargetFailure {
  const tgid = processOf(context.pid);
  const fd = openat(AT_FDCWD, link, O_RDONLY | O_DIRECTORY);
  try {
    // The number may have stood for another directory when we opened it, one that the target has pinned and may not read. So
    // the open file that it stands for now must be readable, and of the very directory that we have.
    const [theirs, ours] = [descriptorInfo(context.pid, number), descriptorInfo('self', fd)];
    if (!context.isValid()) return closed(fd, 'gone');
    if ((theirs.flags & O_PATH) !== 0) return closed(fd, 'badFd'); // as the kernel says of reading one
    const isSame = theirs.inode !== undefined && theirs.inode === ours.inode && theirs.mount !== undefined && theirs.mount === ours.mount;
    if (!isSame || sharesInodeNumbers(fd)) return closed(fd, 'noAccess');
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return keptApart(fd, tgid, number, { dev, ino, kernelPosition: theirs.position }, store);
  } catch (error) {
    close(fd);
    throw error;
  }
}

function closed(fd: number, reason: 'gone' | 'badFd' | 'noAccess'): TargetFailure {
  close(fd);
  return new TargetFailure(reason);
}

function keptApart(fd: number, tgid: number, number: number, identity: Identity, store: PositionStore): TargetDirectory {
  return {
    fd,
    shared: false,
    position: store.get(tgid, number, identity),
    seek: (position) => store.set(tgid, number, identity, position),
    // Its next open directory may get the same number, and would look the same from here.
    ended: () => store.forget(tgid, number),
    close: () => close(fd),
  };
}

/**
 * Of file systems of which one mount may have several directories of one inode number: each subvolume has numbers of its own.
 * Not of FUSE, which containers have as their root: who serves it may give a number twice, and most give each once.
 * btrfs(5); bcachefs(8); fuse(4)
 */
const SHARE_INODE_NUMBERS = new Set([0x9123683e, 0xca451a4e]);

function sharesInodeNumbers(fd: number): boolean {
  return SHARE_INODE_NUMBERS.has(statfsSync(`/proc/self/fd/${fd}`).type);
}

function refusal(error: NodeJS.ErrnoException): TargetFailure {
  if (error.code === 'ENOENT' || error.code === 'EBADF') return new TargetFailure('badFd');
  if (error.code === 'EMFILE' || error.code === 'ENFILE') return new TargetFailure('exhausted');
  if (error instanceof SyscallError || error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'ESRCH') return new TargetFailure('noAccess');
  throw error;
}
