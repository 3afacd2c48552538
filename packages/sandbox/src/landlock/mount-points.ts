/**
 * Mount points, as this process sees them.
 *
 * A procfs is a procfs wherever it is mounted, so a grant is looked at for every one beneath it; and a file has as many
 * names as its file system is mounted over it. proc_pid_mountinfo(5)
 */
export interface MountPoint {
  readonly id: number;
  /** The mount that it is mounted in. */
  readonly parent: number;
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
    const [id, parent, device, root, path] = fields?.split(' ') ?? [];
    const type = rest?.split(' ')[0];
    if (path === undefined || type === undefined) return [];
    return [{ id: Number(id), parent: Number(parent), path: unescaped(path), type, device: device!, root: unescaped(root!) }];
  });
}

/** File systems that the kernel makes up: nobody renames anything there. */
export const SPECIAL = ['proc', 'sysfs', 'cgroup', 'cgroup2'];

/** Whether some directory on the way to it can be renamed: none that something is mounted on can. rename(2), EBUSY */
export function isMovable(mount: MountPoint, mounts: readonly MountPoint[]): boolean {
  const parent = mounts.find(({ id }) => id === mount.parent);
  if (parent === undefined || parent === mount) return mount.path !== '/' && parentOf(mount.path) !== '/';
  return (!SPECIAL.includes(parent.type) && mount.path !== parent.path && parentOf(mount.path) !== parent.path) || isMovable(parent, mounts);
}

/** The mount that a path leads into, with those on the way that lie over others. */
export function leadsInto(path: string, mounts: readonly MountPoint[]): MountPoint | undefined {
  const ids = new Set(mounts.map(({ id }) => id));
  const onTheWay = mounts.filter((mount) => isWithin(path, mount.path));
  // Of two in one mount, what is mounted higher up lies over the other; what is mounted at the same place is in the other.
  const first = (candidates: readonly MountPoint[]) => candidates.reduce<MountPoint | undefined>(
    (best, each) => (best === undefined || each.path.length <= best.path.length ? each : best), undefined);
  let into: MountPoint | undefined;
  for (let next = first(onTheWay.filter(({ id, parent }) => !ids.has(parent) || parent === id)); next !== undefined;) {
    const { id } = (into = next);
    next = first(onTheWay.filter((mount) => mount.parent === id && mount.id !== id));
  }
  return into;
}

/** The device number of the file system, as stat(2) tells it. makedev(3) */
export function deviceNumber({ device }: MountPoint): bigint {
  const [major, minor] = device.split(':').map(BigInt) as [bigint, bigint];
  return (major & 0xfffn) << 8n | (major & ~0xfffn) << 32n | minor & 0xffn | (minor & ~0xffn) << 12n;
}

/** The names by which the directory that it is mounted on is found in other mounts, where it covers nothing. */
export function namesOfMountPoint(mount: MountPoint, mounts: readonly MountPoint[]): { readonly path: string; readonly mount: MountPoint }[] {
  const parent = mounts.find(({ id }) => id === mount.parent);
  if (parent === undefined || parent === mount) return [];
  const stored = joined(parent.root, below(mount.path, parent.path));
  return mounts.filter((each) => each !== parent && each.device === parent.device && stored !== each.root && isWithin(stored, each.root))
    .map((each) => ({ path: joined(each.path, below(stored, each.root)), mount: each }));
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

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
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
