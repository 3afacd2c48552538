/**
 * The hostname family: the name of the machine that a target sees.
 *
 * uname(2) is answered with the kernel's own structure and another nodename. The files that hold the name are views,
 * for the views family to serve.
 * uname(2)  ->  0, or EFAULT
 */
import { action, type Family, type Handler } from '@sandlock/dispatch';
import { uname, UTSNAME_FIELD_BYTES } from '@sandlock/sys';

import { viewFile } from './views/view-file.js';
import type { View } from './views/view.js';

/** Where the name stands. hostname(5), proc_sys_kernel(5) */
const FILES = ['/etc/hostname', '/proc/sys/kernel/hostname'];
/** __NEW_UTS_LEN, include/uapi/linux/utsname.h; the NUL comes on top. */
const MAX_NAME_BYTES = UTSNAME_FIELD_BYTES - 1;

export interface HostnameOptions {
  /** 1 to 64 bytes of UTF-8 without NUL or newline. */
  readonly name: string;
}

export interface HostnameFamily extends Family {
  readonly views: readonly View[];
}

/** @throws {RangeError} the name is empty, too long, or has a NUL or newline */
export function hostname({ name }: HostnameOptions): HostnameFamily {
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
  return { name: 'hostname', views: FILES.map((path) => viewFile(path, () => file)), handlers: { uname: nodename } };
}

function checked(name: string): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES || bytes.includes(0) || bytes.includes(0x0a)) {
    throw new RangeError(`A host name has 1 to ${MAX_NAME_BYTES} bytes without NUL or newline; ${JSON.stringify(name)} `
      + `(${bytes.length} bytes) has not.`);
  }
  return bytes;
}
