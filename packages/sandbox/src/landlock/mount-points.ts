/**
 * Mount points of the kernel's own file systems, as this process sees them.
 *
 * A procfs is a procfs wherever it is mounted, so a grant is looked at for every one beneath it. proc_pid_mountinfo(5)
 */
import { readFileSync } from 'node:fs';

export interface MountPoint {
  /** Absolute, a character a byte. */
  readonly path: string;
  readonly type: string;
  /** Which part of its file system is mounted there. */
  readonly root: string;
}

/** @throws where /proc is not mounted: nothing can be said then */
export function mountPoints(types: ReadonlySet<string>): readonly MountPoint[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1'), types);
}

/** @param text lines like `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw` */
export function parseMountInfo(text: string, types: ReadonlySet<string>): readonly MountPoint[] {
  return text.split('\n').flatMap((line) => {
    const [fields, rest] = line.split(' - ');
    const [, , , root, path] = fields?.split(' ') ?? [];
    const type = rest?.split(' ')[0];
    return root === undefined || path === undefined || type === undefined || !types.has(type) ? [] : [{ path: unescaped(path), type, root: unescaped(root) }];
  });
}

/** Space, tab, newline and backslash are octal. fs/proc_namespace.c, mangle() */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
