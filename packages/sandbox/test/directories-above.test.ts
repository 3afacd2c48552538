import { type Ancestry, SyscallError } from '@sandlock/sys';
import { describe, expect, it } from 'vitest';

import { directoriesAbove, type MountLooks } from '../src/landlock/directories-above.js';
import { deviceNumber, isMovable, leadsInto, parseMountInfo } from '../src/landlock/mount-points.js';
import { mountsAbove } from '../src/landlock/mounts-above.js';
import { Moved } from '../src/landlock/moved.js';

const line = (id: number, parent: number, path: string, type: string, root = '/', device = `0:${id}`) => `${id} ${parent} ${device} ${root} ${path} rw shared:1 - ${type} none rw`;
const mounts = parseMountInfo([
  line(1, 0, '/', 'ext4', '/', '8:1'), line(2, 1, '/proc', 'proc'), line(3, 2, '/proc', 'proc'), line(4, 1, '/sys', 'sysfs'), line(5, 4, '/sys/fs/cgroup', 'cgroup2'),
  line(6, 1, '/srv/a/proc', 'proc'), line(7, 1, '/jail', 'tmpfs'), line(8, 7, '/jail/proc', 'proc'), line(9, 1, '/over/a/proc', 'proc'), line(10, 1, '/over', 'tmpfs'),
  line(11, 1, '/mnt/copy', 'ext4', '/srv', '8:1'),
].join('\n'));
const byId = (id: number) => mounts.find((mount) => mount.id === id)!;

const inodes = new Map<string, bigint>();
const inode = (path: string) => inodes.get(path) ?? inodes.set(path, BigInt(inodes.size + 1)).get(path)!;
/** A machine without links, where every path is there. */
function ancestry(path: string): Ancestry {
  const parts = path.split('/').slice(1, -1);
  const above = [...parts.keys(), parts.length].reverse().map((n) => `/${parts.slice(0, n).join('/')}`);
  const found = (each: string) => {
    const mount = leadsInto(each, mounts)!;
    return { dev: deviceNumber(mount), ino: inode(each), mountId: mount.id };
  };
  return { ...found(path), rdev: 0n, mode: 0o40755n, above: above.map(found) };
}
const looks: MountLooks = { mounts: () => mounts, ancestry };
const failing = (code: string): MountLooks => ({
  mounts: () => parseMountInfo(mounts.map(({ id, parent, path, type }) => line(id, parent, path, type)).join('\n')),
  ancestry: () => { throw new SyscallError('open', code === 'EACCES' ? -13 : -2); },
});
const fresh = () => [...mounts];

describe('a table of mounts', () => {
  it('says which mount a path leads into, and which of them another one hides', () => {
    expect(['/proc/1', '/srv/a/proc', '/jail/proc', '/over/a/proc', '/usr'].map((path) => leadsInto(path, mounts)?.id)).toEqual([3, 6, 8, 10, 1]);
  });

  it('says above which of them a directory can be renamed', () => {
    expect(mounts.filter((mount) => isMovable(mount, mounts)).map(({ path }) => path)).toEqual(['/srv/a/proc', '/over/a/proc', '/mnt/copy']);
  });

  it('has device numbers as stat(2) tells them', () => {
    expect(deviceNumber({ ...byId(1), device: '8:1' })).toBe(0x801n);
    expect(deviceNumber({ ...byId(1), device: '259:65537' })).toBe(0x10010301n);
  });
});

describe('the directories above a mount', () => {
  it('are those that one comes through by going up from it', () => {
    expect(directoriesAbove(byId(6), fresh(), looks).directories.map(({ ino }) => ino)).toEqual(['/srv/a', '/srv', '/'].map(inode));
    expect(directoriesAbove(byId(3), fresh(), looks).directories.map(({ ino }) => ino)).toEqual([inode('/')]);
  });

  it('are none where nobody comes there: beneath another mount, or by a directory that may not be searched', () => {
    expect([2, 9].map((id) => directoriesAbove(byId(id), fresh(), looks).directories)).toEqual([[], []]);
    expect([3, 6].map((id) => directoriesAbove(byId(id), fresh(), failing('EACCES')).directories)).toEqual([[], []]);
  });

  it.each([3, 6])('are looked for again where a look was refused, by the same table: mount %i', (id) => {
    const table = fresh();
    expect(directoriesAbove(byId(id), table, failing('EACCES'))).toEqual({ directories: [], isLasting: false });
    expect(mountsAbove([byId(id)], table, failing('EACCES')).isLasting).toBe(false);
    expect(directoriesAbove(byId(id), table, looks)).toEqual({ directories: ancestry(byId(id).path).above, isLasting: true });
    expect(mountsAbove([byId(id)], table, looks).isLasting).toBe(true);
  });

  it('are not known where it is gone at every look, nor where something else is there', () => {
    expect(() => directoriesAbove(byId(6), fresh(), failing('ENOENT'))).toThrow(Moved);
    expect(() => directoriesAbove(byId(6), fresh(), { ...looks, ancestry: (path) => ({ ...ancestry(path), mountId: 1 }) })).toThrow(Moved);
  });

  it('are found at the place that the table says by then', () => {
    let n = 0;
    const late: MountLooks = { ...looks, ancestry: (path) => (n++ < 5 ? { ...ancestry(path), mountId: 1 } : ancestry(path)) };
    expect(directoriesAbove(byId(6), fresh(), late).directories).toEqual(ancestry('/srv/a/proc').above);
    expect(n).toBe(6);
  });

  it('hold what leads to the mount, but for what something is mounted on', () => {
    const above = mountsAbove([byId(3), byId(5), byId(8)], mounts, looks);
    expect([...above.directories].map(({ ino }) => ino).sort()).toEqual(['/', '/sys', '/sys/fs', '/jail'].map(inode).sort());
    expect([...above.holding]).toEqual([]);
    const movable = mountsAbove([byId(6)], mounts, looks);
    expect([...movable.directories].map(({ ino }) => ino).sort()).toEqual(['/srv/a', '/srv', '/', '/mnt'].map(inode).sort());
    expect([...movable.holding].map(({ ino }) => ino).sort()).toEqual(['/srv', '/', '/mnt'].map(inode).sort());
    expect(movable.otherNames).toEqual(['/mnt/copy/a/proc']);
  });
});
