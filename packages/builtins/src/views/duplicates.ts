/**
 * Duplicates of watched descriptors.
 *
 * A listing of /proc is answered by number, so a duplicate with a low number would show every process of the machine.
 * It gets a watched number instead, with a position of its own; where a certain number is asked for, there is none.
 * What a program sends itself over a socket keeps no number, and no more is to be had by that than numbers of
 * processes, which kill(2) tells as well. Duplicates of other watched directories get one too as long as there are some,
 * since what lies beneath is served to those alone; find(1) and its like go on with a duplicate.
 * dup(2), fcntl(2), F_DUPFD
 */
import { arg32 } from '@sandlock/bpf';
import { action, asInt32, asUint32, type FamilyEntry, type Handler, type HandlerContext, type NotifAction } from '@sandlock/dispatch';
import { AT_FDCWD, F_DUPFD_CLOEXEC, O_CLOEXEC, O_DIRECTORY, openat } from '@sandlock/sys';
import { readlinkSync } from 'node:fs';

import { PROC } from './proc-name.js';
import { freeWatchedFd, watchedFd } from './watched-fds.js';

const F_DUPFD = 0; // include/uapi/asm-generic/fcntl.h

export function duplicateHandlers(base: number): Readonly<Record<string, FamilyEntry>> {
  const anywhere = (context: HandlerContext, newFdFlags: number): NotifAction => {
    const targetFd = freeWatchedFd(context.pid, base);
    if (!isProc(context)) return targetFd === undefined ? action.continue() : copied(context, newFdFlags, targetFd);
    if (targetFd === undefined || !context.isValid()) return action.errno('EMFILE');
    return action.injectFdSend({ srcFd: openat(AT_FDCWD, PROC, O_DIRECTORY), newFdFlags, targetFd });
  };
  const there: Handler = (context) => (
    asUint32(context.args[1]!) >= base || !isProc(context) ? action.continue() : action.errno('EMFILE'));
  const from = (keeps: number): Handler => (context) => (
    asUint32(context.args[2]!) >= base ? action.continue() : anywhere(context, keeps));
  const onException = 'denyEperm';
  return {
    dup: { handler: (context) => anywhere(context, 0), when: watchedFd(0, base), onException },
    dup2: { handler: there, when: watchedFd(0, base), onException },
    dup3: { handler: there, when: watchedFd(0, base), onException },
    fcntl: [
      { handler: from(0), when: [watchedFd(0, base), arg32(1).eq(F_DUPFD)], onException },
      { handler: from(O_CLOEXEC), when: [watchedFd(0, base), arg32(1).eq(F_DUPFD_CLOEXEC)], onException },
    ],
  };
}

/** The same open file. Where that cannot be had, as in most containers, the kernel duplicates it. */
function copied(context: HandlerContext, newFdFlags: number, targetFd: number): NotifAction {
  const copy = context.dupFd(context.args[0]!);
  return copy.ok ? action.injectFdSend({ srcFd: copy.fd, newFdFlags, targetFd, orLowest: true }) : action.continue();
}

/** Where it cannot be told, it is. */
function isProc({ pid, args }: HandlerContext): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${asInt32(args[0]!)}`) === PROC;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
