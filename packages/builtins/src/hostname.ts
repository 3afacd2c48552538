/**
 * The hostname family: the name of the machine that a target sees.
 *
 * uname(2) is answered with the kernel's own structure and another nodename; opening /etc/hostname, or the
 * kernel's file of the same content, yields the name and a newline. The answer is a descriptor, a new one each
 * time, since readers of one open file description would share its offset. It is a view and no secret: a path
 * that is no more than another name for these files (a symbolic link called otherwise) leads to the machine's own.
 * uname(2)  ->  0, or EFAULT
 * open(2), openat(2), openat2(2), creat(2)  ->  descriptor, EROFS, EEXIST, EISDIR, ENOTDIR, EXDEV, or continue
 */
import { action, decodeOpen, type Family, type Handler, type OpenArguments } from '@sandlock/dispatch';
import { O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_TRUNC, uname, UTSNAME_FIELD_BYTES } from '@sandlock/sys';

import { leavesDirectory, lexicalPath } from './lexical-path.js';

/** Where the name stands. hostname(5), proc_sys_kernel(5) */
const FILES: ReadonlySet<string> = new Set(['/etc/hostname', '/proc/sys/kernel/hostname']);
const LAST_COMPONENT = Buffer.from('hostname');
const SLASH = 0x2f;
/** __NEW_UTS_LEN, include/uapi/linux/utsname.h; the NUL comes on top. */
const MAX_NAME_BYTES = UTSNAME_FIELD_BYTES - 1;

export interface HostnameOptions {
  /** 1 to 64 bytes of UTF-8 without NUL or newline. */
  readonly name: string;
}

/** @throws {RangeError} the name is empty, too long, or has a NUL or newline */
export function hostname({ name }: HostnameOptions): Family {
  const bytes = checked(name);
  const file = Buffer.concat([bytes, Buffer.from('\n')]);
  // sysname, nodename, release, ...: the second field is ours.
  const system = uname();
  system.fill(0, UTSNAME_FIELD_BYTES, 2 * UTSNAME_FIELD_BYTES);
  bytes.copy(system, UTSNAME_FIELD_BYTES);

  const nodename: Handler = (context) => {
    const written = context.writeMemory(context.args[0]!, system);
    return written.ok ? action.returnValue(0) : written.deny();
  };

  const open: Handler = (context) => {
    // Every open of every program comes by here; nearly all of them go no further than this line.
    const path = context.readPath();
    if (!path.ok) return path.deny();
    if (!mayNameIt(path.bytes)) return action.continue();

    const how = decodeOpen(context);
    if (!how.ok) return how.deny();
    if (!mayNameIt(how.path)) return action.continue();
    if (leavesDirectory(how)) return action.errno('EXDEV'); // openat2(2), ERRORS
    const lexical = lexicalPath(context, how);
    if (typeof lexical !== 'string') return lexical.deny();
    // Continue is not permission: whatever the path is by then, Landlock judges it.
    return FILES.has(lexical) ? answer(how) : action.continue();
  };

  const answer = ({ flags, path }: Extract<OpenArguments, { ok: true }>) => {
    const asDirectory = path.at(-1) === SLASH;
    // The kernel's order. fs/namei.c, open_last_lookups() and do_open()
    if (asDirectory) return action.errno((flags & O_CREAT) === 0 ? 'ENOTDIR' : 'EISDIR');
    if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return action.errno('EEXIST');
    if ((flags & O_DIRECTORY) !== 0) return action.errno('ENOTDIR'); // O_TMPFILE too
    if ((flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0) return action.errno('EROFS');
    return action.bytes(file, { cloexec: (flags & O_CLOEXEC) !== 0 });
  };

  const opens = { handler: open, concerns: { names: [...FILES] } };
  return { name: 'hostname', handlers: { uname: nodename, open: opens, openat: opens, openat2: opens, creat: opens } };
}

function checked(name: string): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES || bytes.includes(0) || bytes.includes(0x0a)) {
    throw new RangeError(`A host name has 1 to ${MAX_NAME_BYTES} bytes without NUL or newline; ${JSON.stringify(name)} `
      + `(${bytes.length} bytes) has not.`);
  }
  return bytes;
}

/** Whether the last component, slashes behind it aside, is the right one. */
function mayNameIt(path: Buffer): boolean {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH) end--;
  const start = end - LAST_COMPONENT.length;
  if (start < 0 || (start > 0 && path[start - 1] !== SLASH)) return false;
  return path.compare(LAST_COMPONENT, 0, LAST_COMPONENT.length, start, end) === 0;
}
