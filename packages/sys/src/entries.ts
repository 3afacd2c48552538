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

/** Of the directory that was listed, by its descriptor and before that. */
export interface DirectoryStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly ctimeNs: bigint;
}

const FIELDS = 4;

/**
 * @param links  false: those that the directory itself tells to be links may be left out, without a look at each. readdir(3), d_type
 * @returns entries by name, a character a byte; without `.` and `..`, and without what went meanwhile
 * @throws {SyscallError} as open(2), readdir(3) and fstatat(2) list
 */
export function listEntries(
  path: PathLike, { links = true }: { readonly links?: boolean } = {},
): { directory: DirectoryStat; entries: Map<string, EntryStat> } {
  const { directory, names, fields } = listed(path, true, links);
  const entries = new Map(names.map((name, i): [string, EntryStat] => {
    const [dev, ino, rdev, mode] = fields.subarray(i * FIELDS);
    return [name, { dev: dev!, ino: ino!, rdev: rdev!, mode: mode! }];
  }));
  return { directory, entries };
}

/** Looks at none of them, which takes long where much is mounted. @returns and throws as {@link listEntries} */
export function listNames(path: PathLike): { directory: DirectoryStat; names: string[] } {
  const { directory, names } = listed(path, false, true);
  return { directory, names };
}

function listed(path: PathLike, look: boolean, links: boolean): { directory: DirectoryStat; names: string[]; fields: BigUint64Array } {
  const result = binding().listEntries(cString(path), look, links);
  if (typeof result === 'number') return check('open', result, String(path)) as never;
  const [[dev, ino, ctimeNs], text, fields] = result;
  const names = text.toString('latin1').split('\0');
  names.pop(); // behind the last NUL
  return { directory: { dev: dev!, ino: ino!, ctimeNs: ctimeNs! }, names, fields };
}
