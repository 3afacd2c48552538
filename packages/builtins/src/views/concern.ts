/**
 * Which paths concern views at all.
 *
 * Nearly every open of a program is of a library or a file of its own. Those are told by their first bytes, mostly before
 * any JavaScript runs; what is left is followed component by component.
 */
import type { KnownEntries, PathsOfConcern } from '@sandlock/dispatch';

import { NewEntries } from './new-entries.js';
import { isInProc, PROC } from './proc-name.js';

/** Names outside of /proc that lead into it. proc_pid_fd(5), pts(4); mount(8), /etc/mtab */
const LEAD_INTO_PROC = ['/dev/stdin', '/dev/stdout', '/dev/stderr', '/dev/core', '/etc/mtab', '/etc/mnttab'];
const FD_DIRECTORY = '/dev/fd';

export interface Concern extends PathsOfConcern {
  /** Directories that are opened on behalf. */
  readonly directories: ReadonlySet<string>;
  readonly newEntries: NewEntries;
  /**
   * Whether to look closer, by the letters of a path. One that comes near only because a link on its way leads elsewhere
   * than its letters say is served where the program may have made that link, see OwnLinks; otherwise the kernel refuses.
   *
   * @param base what a relative path starts from; '' for an absolute one
   */
  mayConcern(path: Buffer, base: string): boolean;
  /** Whether it leads to a new entry of a divided directory, likewise. */
  mayBeNew(path: Buffer, base: string): boolean;
}

/**
 * @param views         paths of views
 * @param directories   more directories that the policy lets read and Landlock does not
 * @param procGranted   whether anything below /proc is granted
 * @param knownEntries  directories of which Landlock grants the entries that they had, and none of the others
 * @param absent        those of the views that stand for everything beneath, too
 */
export function concern(
  views: readonly string[], directories: readonly string[], procGranted: boolean, knownEntries: readonly KnownEntries[] = [],
  absent: readonly string[] = [],
): Concern {
  const outside = views.filter((path) => !isInProc(path));
  const names = new Set([...outside, ...directories, ...outside.flatMap(ancestors)]);
  const watched = new Set([...directories, ...outside.flatMap(ancestors)]);
  if (procGranted) {
    for (const name of [...LEAD_INTO_PROC, ...ancestors(PROC), ...ancestors(FD_DIRECTORY)]) names.add(name);
    for (const name of [...ancestors(PROC), ...ancestors(FD_DIRECTORY)]) watched.add(name);
  }
  const trees = procGranted ? [PROC, FD_DIRECTORY] : [];
  // Many lie in few directories: those are quickly told from others, and the names in them looked up.
  const gone = new Set(absent);
  const around = absent.map((path) => path.slice(0, path.lastIndexOf('/')));
  const newEntries = new NewEntries(knownEntries);
  return {
    names: [...names],
    trees: [...new Set([...trees, ...around])],
    knownEntries,
    directories: watched,
    newEntries,
    mayBeNew: (path, base) => newEntries.has(namesOnTheWay(path, base).at(-1)!),
    mayConcern(path, base) {
      const way = namesOnTheWay(path, base);
      const name = way.at(-1)!;
      return names.has(name === '' ? '/' : name) || newEntries.has(name)
        || (gone.size > 0 && way.some((each) => gone.has(each)))
        || trees.some((tree) => way.some((each) => each === tree || each.startsWith(`${tree}/`)));
    },
  };
}

/** The start and what each component leads to, as if none were a link. '' for the root. */
function namesOnTheWay(path: Buffer, base: string): string[] {
  const way = [base === '/' ? '' : base];
  for (const component of path.toString('latin1').split('/')) {
    if (component === '' || component === '.') continue;
    const name = way.at(-1)!;
    way.push(component === '..' ? name.slice(0, Math.max(name.lastIndexOf('/'), 0)) : `${name}/${component}`);
  }
  return way;
}

/** The directories above a path, the root included. */
function ancestors(path: string): string[] {
  const found = ['/'];
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) found.push(path.slice(0, at));
  return found;
}
