/**
 * Mount points, as this process sees them.
 *
 * A procfs is a procfs wherever it is mounted, so a grant is looked at for every one beneath it; and a file has as many
 * names as its file system is mounted over it. proc_pid_mountinfo(5)
 */
export interface MountPoint {
  /** Absolute, a character a byte. */
  readonly path: string;
  readonly type: string;
  /** `major:minor` of the file system, and which part of it is mounted here. */
  readonly device: string;
  readonly root: string;
}

/** @param text lines like `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw` */
export function parseMountInfo(text: string): readonly MountPoint[] {
  return text.split('\n').flatMap((line) => {
    const [fields, rest] = line.split(' - ');
    const [, , device, root, path] = fields?.split(' ') ?? [];
    const type = rest?.split(' ')[0];
    return path === undefined || type === undefined ? [] : [{ path: unescaped(path), type, device: device!, root: unescaped(root!) }];
  });
}

/** All names that mounts give to what is called this, by which it is found where nothing is mounted over them. */
export function mountedNames(path: string, mounts: readonly MountPoint[]): string[] {
  // The one that was mounted last is on top.
  const holders = mounts.filter((mount) => isWithin(path, mount.path));
  const holder = holders.reduce<MountPoint | undefined>((best, each) => (each.path.length >= (best?.path.length ?? 0) ? each : best), undefined);
  if (holder === undefined) return [path];
  const stored = joined(holder.root, below(path, holder.path));
  return mounts.filter(({ device, root }) => device === holder.device && isWithin(stored, root))
    .map((mount) => joined(mount.path, below(stored, mount.root)));
}

/** Whether `path` is `directory` or lies beneath it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** What follows the directory, with a slash in front; '' for itself. */
function below(path: string, directory: string): string {
  return directory === '/' ? (path === '/' ? '' : path) : path.slice(directory.length);
}

function joined(directory: string, rest: string): string {
  return directory === '/' ? (rest === '' ? '/' : rest) : `${directory}${rest}`;
}

/** Space, tab, newline and backslash are octal. fs/proc_namespace.c, mangle() */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
