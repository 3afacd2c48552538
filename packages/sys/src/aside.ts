/**
 * Reads that may take long, in a thread of libuv's pool, so that the loop goes on.
 *
 * How long is for the other side to say: the kernel walks what another process has mapped, opened or put into a
 * directory. The pool has few threads and serves everything else that this process reads, so who asks because of a
 * target asks for one thing at a time.
 */
import { binding } from './binding.js';
import { check } from './errors.js';
import { cString } from './files.js';

export interface FileRead {
  readonly bytes: Buffer;
  /** Whether that is all; false: there may be more than was asked for. */
  readonly complete: boolean;
  /** Processor time that it took. */
  readonly busyMs: number;
}

/** Reads a file from its start, at most this much of it. @throws {SyscallError} as open(2) and read(2) say */
export async function readFileAside(path: string, maxBytes: number): Promise<FileRead> {
  const [bytes, complete, busyMs] = checked('read', await binding().readFileAside(cString(path), maxBytes));
  return { bytes, complete, busyMs };
}

export interface FilesListed {
  /** Blocks of 512 bytes by inode, each file once. */
  readonly blocks: ReadonlyMap<number, number>;
  /** Descriptors that were looked at. */
  readonly looked: number;
  /** Whether these are all; false: there are more than was asked for. */
  readonly complete: boolean;
  /** Processor time that it took. */
  readonly busyMs: number;
}

/**
 * Which files of one kind a process has open.
 *
 * @param prefix    what the link of such a descriptor begins with, as in `/memfd:` and `socket:`
 * @param maxLinks  descriptors to look at
 * @throws {SyscallError} ENOENT or ESRCH it is gone, EACCES no ptrace access
 * @see proc_pid_fd(5)
 */
export async function listFilesAside(pid: number, prefix: string, maxLinks: number): Promise<FilesListed> {
  const [numbers, looked, busyMs] = checked('getdents64', await binding().listFilesAside(cString(`/proc/${pid}/fd`), cString(prefix), maxLinks));
  const blocks = new Map<number, number>();
  for (let n = 0; n < numbers.length; n += 2) blocks.set(numbers[n]!, numbers[n + 1]!);
  return { blocks, looked: Math.min(looked, maxLinks), complete: looked <= maxLinks, busyMs };
}

export interface SortedDirectory {
  /** `struct linux_dirent64`, one behind the other as they were read. */
  readonly records: Buffer;
  /** Where each begins: `.`, `..`, and then by the bytes of the names. */
  readonly starts: Uint32Array;
}

/**
 * Reads a directory from where it stands to its end.
 *
 * @param fd        stays open until it has been read
 * @param maxBytes  of records
 * @throws {SyscallError} EFBIG there are more, ENOENT, ENOTDIR
 * @see getdents64(2)
 */
export async function readDirectoryAside(fd: number, maxBytes: number): Promise<SortedDirectory> {
  const [records, starts] = checked('getdents64', await binding().readDirectoryAside(fd, maxBytes));
  return { records, starts };
}

function checked<T extends unknown[]>(syscall: string, result: T | number): T {
  if (typeof result === 'number') check(syscall, result);
  return result as T;
}
