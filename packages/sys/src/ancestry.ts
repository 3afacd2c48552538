/**
 * What a name stands for and all directories above it, by what they are. Whoever renames one of those meanwhile changes
 * nothing of it: the way up goes by descriptors.
 */
import { binding } from './binding.js';
import type { EntryStat } from './entries.js';
import { check } from './errors.js';
import { cString, type PathLike } from './files.js';

export interface Ancestor {
  readonly dev: bigint;
  readonly ino: bigint;
  /** The first field of its line in proc_pid_mountinfo(5). */
  readonly mountId: number;
}

export interface Ancestry extends EntryStat {
  /** Of the mount that is uppermost there. */
  readonly mountId: number;
  /** From the directory that has the entry to the root. */
  readonly above: readonly Ancestor[];
}

const SLASH = 0x2f;
const ENTRY_FIELDS = 5;
const ANCESTOR_FIELDS = 3;

/**
 * @param path  absolute, as the kernel spells it; a link that it ends in is looked at itself
 * @throws {SyscallError} as open(2) and statx(2) list; ENOSYS before Linux 5.8
 */
export function ancestry(path: PathLike): Ancestry {
  const bytes = Buffer.from(path);
  const slash = bytes.lastIndexOf(SLASH);
  const found = binding().ancestry(cString(bytes.subarray(0, slash + 1)), cString(slash === bytes.length - 1 ? '.' : bytes.subarray(slash + 1)));
  if (typeof found === 'number') return check('open', found, String(path)) as never;
  const [dev, ino, rdev, mode, mountId] = found;
  const above: Ancestor[] = [];
  for (let at = ENTRY_FIELDS; at < found.length; at += ANCESTOR_FIELDS) {
    above.push({ dev: found[at]!, ino: found[at + 1]!, mountId: Number(found[at + 2]) });
  }
  return { dev: dev!, ino: ino!, rdev: rdev!, mode: mode!, mountId: Number(mountId), above };
}
