/**
 * Links of the program's own: from when on a path says too little by its text.
 *
 * Nearly no program makes a symbolic link that could lead to a file with a view, so until one is made, the letters of a path tell
 * whether to look closer. Which links these are is told before JavaScript is entered, where that can be; whichever comes here
 * counts as one, so its text is not read, and whatever is wrong with the call is for the kernel to say. Afterwards a path with links in
 * it is followed, whatever its letters; and one that comes here with `..` behind a name always is, for that may be a link to any directory.
 * Links that were there before are not looked for.
 * symlink(2), symlinkat(2)  ->  continue
 */
import { action, type FamilyHandler, type PathsOfConcern } from '@sandlock/dispatch';
import { AT_FDCWD, close, O_DIRECTORY, O_PATH, openat2, RESOLVE_NO_SYMLINKS } from '@sandlock/sys';

import { errnoOf } from '../open/errno-of.js';

export class OwnLinks {
  #made = false;

  handlers(concerns: PathsOfConcern): Readonly<Record<string, FamilyHandler>> {
    const handler = () => {
      this.#made = true;
      return action.continue();
    };
    const link: FamilyHandler = { handler, concerns, onException: 'denyEio' };
    return { symlink: link, symlinkat: link };
  }

  /**
   * Whether a path may lead elsewhere than its letters say.
   *
   * @param base what a relative path starts from; '' for an absolute one
   */
  mayLeadElsewhere(path: Buffer, base: string): boolean {
    if (!this.#made && !goesBack(path)) return false;
    const whole = Buffer.concat([Buffer.from(`${base}/`, 'latin1'), path]);
    try {
      close(openat2(AT_FDCWD, whole, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS));
      return false;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return errno !== 'ENOENT' && errno !== 'ENOTDIR';
    }
  }
}

function goesBack(path: Buffer): boolean {
  return path.includes('/..') && path.toString('latin1').replace(/^[./]+/, '').includes('/..');
}
