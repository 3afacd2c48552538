/**
 * A view that is a read-only file.
 *
 * Every open makes the content anew and yields a descriptor of its own: readers of one open file description would
 * share its offset. The file is sealed and the description read-only, so that what F_GETFL, fstat(2) and write(2) say
 * is what they say of any file that may only be read.
 * open(2), memfd_create(2); fs/namei.c, open_last_lookups() and do_open()
 */
import { action, type NotifAction } from '@sandlock/dispatch';
import {
  addSeals, AT_FDCWD, close, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, memfdCreate, MFD_ALLOW_SEALING,
  MFD_CLOEXEC, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NONBLOCK, O_PATH, O_RDONLY, O_TRUNC, openat, S_IFREG,
} from '@sandlock/sys';
import { fchmodSync, writeSync } from 'node:fs';

import { memfdName } from './memfd-name.js';
import type { Late, View, ViewOpen, ViewRequest, ViewStat } from './view.js';

const MODE = 0o444;

type Content = Uint8Array | string;

/** What takes long to find out is {@link Late}. */
export type ViewContent = (request: ViewRequest) => Content | Late<Content> | undefined;

/**
 * @param content what the file holds at this open; a string is UTF-8, undefined says that there is none, ENOENT. What it throws
 *   fails the open with EIO
 */
export function viewFile(path: string, content: ViewContent, options: Pick<View, 'needsGrant' | 'links'> = {}): View {
  return {
    path,
    ...options,
    open: (request) => refusal(request.flags) ?? answer(request, memfdName(path, request.name), () => content(request)),
    stat: (request) => {
      const found = content(request);
      if (found === undefined) return undefined;
      return typeof found === 'function' ? (signal) => found(signal).then(statOf) : statOf(found);
    },
  };
}

/** What the kernel says before it opens a file that is there and may only be read, in its order. */
function refusal(flags: number): NotifAction | undefined {
  if ((flags & O_PATH) !== 0) return (flags & O_DIRECTORY) === 0 ? undefined : action.errno('ENOTDIR');
  if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return action.errno('EEXIST');
  if ((flags & O_DIRECTORY) !== 0) return action.errno('ENOTDIR'); // O_TMPFILE too
  if ((flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0) return action.errno('EACCES');
  return undefined;
}

function answer({ flags, targetFd }: ViewOpen, name: Buffer, content: () => Content | Late<Content> | undefined): NotifAction {
  const given = (found: Content): NotifAction => {
    // A descriptor that only names a place (O_PATH) cannot be handed over, so one that can be read stands for it.
    const srcFd = readOnlyFile(name, bytesOf(found), flags & O_NONBLOCK);
    return action.injectFdSend({ srcFd, newFdFlags: flags & O_CLOEXEC, ...(targetFd === undefined ? {} : { targetFd, orLowest: true }) });
  };
  const failed = (): NotifAction => action.errno('EIO'); // never the machine's own
  try {
    const found = content();
    if (found === undefined) return action.errno('ENOENT');
    return typeof found === 'function' ? action.defer((_, signal) => found(signal).then(given).catch(failed)) : given(found);
  } catch {
    return failed();
  }
}

function statOf(content: Content): ViewStat {
  return { mode: S_IFREG | MODE, size: bytesOf(content).length };
}

/** @returns a descriptor at offset 0; the caller closes it */
function readOnlyFile(name: Uint8Array, content: Uint8Array, flags: number): number {
  const fd = memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  try {
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at, content.length - at, at);
    addSeals(fd, F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
    fchmodSync(fd, MODE);
    return openat(AT_FDCWD, `/proc/self/fd/${fd}`, O_RDONLY | flags);
  } finally {
    close(fd);
  }
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
}
