/**
 * The entries of a directory, with what each is: one call in place of one for every entry.
 */
import { binding } from './binding.js';
import { check } from './errors.js';
import { cString, type PathLike } from './files.js';

/** As struct stat has it; a link is looked at itself. */
export interface EntryStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly rdev: bigint;
  readonly mode: bigint;
}

const FIELDS = 4;

/**
 * @returns by name, a character a byte; without `.` and `..`, and without what went meanwhile
 * @throws {SyscallError} as open(2), readdir(3) and fstatat(2) list
 */
export function listEntries(path: PathLike): Map<string, EntryStat> {
  const listed = binding().listEntries(cString(path));
  const entries = new Map<string, EntryStat>();
  if (typeof listed === 'number') {
    check('open', listed, String(path));
    return entries;
  }
  const [names, fields] = listed;
  names.toString('latin1').split('\0').forEach((name, i) => {
    if (name === '') return; // behind the last NUL
    const [dev, ino, rdev, mode] = fields.subarray(i * FIELDS);
    entries.set(name, { dev: dev!, ino: ino!, rdev: rdev!, mode: mode! });
  });
  return entries;
}
