/**
 * New entries of divided directories.
 *
 * Where something beneath a granted directory is kept from programs, Landlock has a rule for each of its other entries in
 * place of one for the directory. What is made there later has none, nor what takes the place of an entry that had one, so
 * the supervisor opens it on behalf. It is judged by the name that the kernel has for it: in the directory, on the same
 * mount, not by way of an entry that has a rule; and no file that a view stands in for, wherever it was moved.
 */
import type { KnownEntries } from '@sandlock/dispatch';
import { AT_FDCWD, close, O_PATH, openat, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG } from '@sandlock/sys';
import { lstatSync, type Stats } from 'node:fs';

import { descriptorInfo } from '../descriptor-info.js';

interface Known extends KnownEntries {
  readonly prefix: string;
}

/** Devices stay with Landlock, which judges what is done with them; sockets and links are not opened. */
const OPENED = new Set([S_IFREG, S_IFDIR, S_IFIFO]);

export class NewEntries {
  readonly #directories: readonly Known[];

  constructor(directories: readonly KnownEntries[]) {
    // The innermost first: it knows best.
    this.#directories = [...directories].sort((a, b) => b.path.length - a.path.length).map(({ path, entries }) => ({
      path, entries, prefix: path === '/' ? '/' : `${path}/`,
    }));
  }

  /** No directory is divided. */
  get isEmpty(): boolean {
    return this.#directories.length === 0;
  }

  /** Whether a path, by its letters, leads to or through an entry that was not there, or is another one now. */
  has(path: string): boolean {
    return this.#directoryOf(path) !== undefined;
  }

  /**
   * @param path the kernel's name
   * @param fd   of it, or of the directory where it will be made
   * @param stat undefined: it will be made
   */
  serves(path: string, fd: number, stat: Stats | undefined): boolean {
    const directory = this.#directoryOf(path);
    const mount = directory && mountOfPath(directory.path);
    if (mount === undefined || mount !== descriptorInfo('self', fd).mount) return false;
    return stat === undefined || OPENED.has(stat.mode & S_IFMT);
  }

  #directoryOf(path: string): Known | undefined {
    const directory = this.#directories.find(({ prefix }) => path.length > prefix.length && path.startsWith(prefix));
    if (directory === undefined) return undefined;
    const { prefix, entries } = directory;
    const end = path.indexOf('/', prefix.length);
    const name = end < 0 ? path.slice(prefix.length) : path.slice(prefix.length, end);
    const known = entries.get(name);
    if (known === null) return undefined;
    if (known === undefined) return directory;
    const stat = lstatSync(Buffer.from(prefix + name, 'latin1'), { bigint: true, throwIfNoEntry: false });
    return stat?.dev === known.dev && stat.ino === known.ino ? undefined : directory;
  }
}

/** undefined: it is not there any more. */
function mountOfPath(path: string): string | undefined {
  let fd: number;
  try {
    fd = openat(AT_FDCWD, Buffer.from(path, 'latin1'), O_PATH);
  } catch {
    return undefined;
  }
  try {
    return descriptorInfo('self', fd).mount;
  } finally {
    close(fd);
  }
}
