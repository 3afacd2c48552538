import { fileIdentity } from '@sandlock/builtins';
import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { divideGrants } from '../src/landlock/divided-grants.js';
import { holes, type Holes } from '../src/landlock/holes.js';
import { Identities, identityOf, MISSING } from '../src/landlock/identities.js';
import type { LandlockGrant } from '../src/landlock/landlock-plan.js';
import { mountedNames, parseMountInfo } from '../src/landlock/mount-points.js';
import { Moved } from '../src/landlock/moved.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sandlock-holes-'));
  for (const path of ['proc/1', 'usr/lib', 'sys/class/net', 'sys/class/block', 'sys/kernel/security', 'sys/kernel/debug', 'sys/fs/cgroup/a', 'sys/fs/fuse', 'etc']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  writeFileSync(join(root, 'file'), '');
  symlinkSync('usr/lib', join(root, 'lib'));
  symlinkSync(root, join(root, 'etc/everything'));
});
afterAll(() => { rmSync(root, { recursive: true }); });

const grant = (path: string, from = 'fsReadable[0]') => ({ path: Uint8Array.from(Buffer.from(path)), optional: false, from });
const paths = (grants: readonly LandlockGrant[]) => grants.flatMap(({ path, entries }) => {
  const name = Buffer.from(path).toString().replace(root, '');
  return entries?.names.map((entry) => `${name}/${entry}`) ?? [name];
}).sort();
const machine = (): Holes => ({
  procfs: [`${root}/proc`],
  sysfs: [`${root}/sys`],
  cgroups: [`${root}/sys/fs/cgroup`],
  special: [`${root}/proc`, `${root}/sys`],
  specialDevices: new Set(),
  procfsDevices: new Set(),
  otherNames: [],
  above: new Identities(),
  aboveCgroups: new Identities(),
  aboveFiles: new Identities(),
  holding: new Identities(),
  isLasting: true,
  files: [],
  identities: new Set(),
  blocked: (sysfs: string) => [`${sysfs}/class/net`, `${sysfs}/firmware`, `${sysfs}/kernel/security`],
});
const divide = (readable: string[], writable: string[] = [], more: Partial<Holes> = {}) => divideGrants({
  readable: readable.map((path) => grant(`${root}${path}`)), writable: writable.map((path) => grant(`${root}${path}`)),
}, { ...machine(), ...more });

describe('divided grants', () => {
  it('leave a grant without a hole as it is', () => {
    const given = grant(`${root}/usr`);
    const { landlock, served } = divideGrants({ readable: [given], writable: [] }, machine());
    expect(landlock.readable).toEqual([{ ...given, judged: identityOf(statSync(`${root}/usr`, { bigint: true })) }]);
    expect(served).toEqual({ readable: [], writable: [], directories: [], knownEntries: [] });
  });

  it('make a rule of each entry beside a hole, on every level, and none of a directory above one', () => {
    const { landlock, served } = divide(['']);
    expect(paths(landlock.readable)).toEqual(['/etc', '/file', '/sys/class/block', '/sys/fs', '/sys/kernel/debug', '/usr']);
    expect(served.readable).toEqual([`${root}/proc`]);
    expect(served.directories.map((path) => path.replace(root, ''))).toEqual(['', '/sys', '/sys/class', '/sys/kernel']);
    expect(landlock.entries).toEqual([]);
  });

  it('let entries be made above a hole where that is granted', () => {
    const { landlock } = divide([], ['/sys']);
    expect(paths(landlock.entries)).toEqual(['/sys', '/sys/class', '/sys/fs', '/sys/kernel']);
    expect(paths(landlock.writable)).toEqual(['/sys/class/block', '/sys/fs/fuse', '/sys/kernel/debug']);
  });

  it('let control groups be read that were granted for writing, and leave those alone that were granted for reading', () => {
    for (const [given, kept] of [['/sys', '/sys/fs/cgroup'], ['/sys/fs/cgroup', '/sys/fs/cgroup'], ['/sys/fs/cgroup/a', '/sys/fs/cgroup/a']] as const) {
      const { landlock } = divide([], [given]);
      expect(paths(landlock.readable)).toEqual([kept]);
      expect(paths(landlock.writable).filter((path) => path.includes('cgroup'))).toEqual([]);
    }
    expect(paths(divide(['/sys/fs']).landlock.readable)).toEqual(['/sys/fs']);
    const viewed = { files: [`${root}/sys/fs/cgroup/a`] };
    for (const given of ['/sys', '/sys/fs/cgroup', '/sys/fs/cgroup/a']) {
      expect(paths(divide([], [given], viewed).landlock.readable).filter((path) => path.includes('cgroup'))).toEqual([]);
    }
  });

  it('give nothing in a hole through Landlock: served as it was spelled, or not at all', () => {
    const { landlock, served } = divide(['/proc', '/proc/1', '/sys/class/net']);
    expect(landlock.readable).toEqual([]);
    expect(served.readable).toEqual([`${root}/proc`, `${root}/proc/1`]);
    expect(divide([], ['/proc/1']).served).toMatchObject({ readable: [], writable: [`${root}/proc/1`] });
  });

  it('see through a link to a directory with a hole', () => {
    const { landlock, served } = divide(['/etc/everything']);
    expect(paths(landlock.readable)).toContain('/usr');
    expect(paths(landlock.readable)).not.toContain('');
    expect(served.readable).toEqual([`${root}/proc`]);
  });
});

describe('what is decided by a name', () => {
  const stat = (path: string) => statSync(path, { bigint: true });

  it('is known by device and inode: a directory above a hole is one by every name', () => {
    mkdirSync(join(root, 'elsewhere/proc'), { recursive: true });
    writeFileSync(join(root, 'elsewhere/file'), '');
    const above = new Identities([stat(join(root, 'elsewhere'))]);
    expect(paths(divide(['/elsewhere'], [], { above }).landlock.readable)).toEqual(['/elsewhere/file', '/elsewhere/proc']);
    expect(paths(divide([''], [], { aboveFiles: above }).landlock.readable)).toEqual(expect.arrayContaining(['/elsewhere/file']));
    expect(paths(divide([''], [], { aboveCgroups: above }).landlock.readable)).toEqual(expect.arrayContaining(['/elsewhere']));
    const { readable, entries } = divide([], ['/elsewhere'], { above, holding: above }).landlock;
    expect(readable).toEqual([]);
    expect(entries.map(({ holding, judged }) => [holding, judged])).toEqual([[true, identityOf(stat(join(root, 'elsewhere')))]]);
  });

  it('is nothing of a procfs by whatever name, and nothing of another file system of the kernel that is said to be elsewhere', () => {
    const own = { procfs: [], sysfs: [], cgroups: [], special: [] };
    const divideOwn = (path: string, more: Partial<Holes>) => divideGrants({ readable: [grant(path)], writable: [] }, { ...machine(), ...own, ...more }).landlock.readable;
    for (const path of ['/proc', '/proc/sys', '/proc/self/status']) {
      expect(divideOwn(path, { procfsDevices: new Set([stat('/proc').dev]) })).toEqual([]);
      expect(divideOwn(path, {})).toHaveLength(1);
    }
    expect(() => divideOwn('/sys', { specialDevices: new Set([stat('/sys').dev]) })).toThrow(Moved);
    expect(divideOwn('/sys', { specialDevices: new Set([stat('/sys').dev]), special: ['/sys'] })).toHaveLength(1);
  });

  it('is nothing where it is not there', () => {
    expect(divide(['/nowhere']).landlock.readable).toEqual([{ ...grant(`${root}/nowhere`), judged: MISSING }]);
  });
});

describe('a file with a view', () => {
  const identity = (path: string) => fileIdentity(lstatSync(join(root, path), { bigint: true }))!;
  beforeAll(() => {
    mkdirSync(join(root, 'srv/deep'), { recursive: true });
    for (const name of ['viewed', 'beside', 'deep/file']) writeFileSync(join(root, 'srv', name), '');
    linkSync(join(root, 'srv/viewed'), join(root, 'srv/again'));
    symlinkSync('viewed', join(root, 'srv/link'));
  });

  it('is left out of what is granted, by each name that it has there', () => {
    const { landlock, served } = divide(['/srv'], [], { files: [`${root}/srv/viewed`], identities: new Set([identity('srv/viewed')]) });
    expect(paths(landlock.readable)).toEqual(['/srv/beside', '/srv/deep']);
    expect(served.directories).toEqual([`${root}/srv`]);
  });

  it('is left out where it alone was granted, under whatever name', () => {
    const more = { identities: new Set([identity('srv/viewed')]) };
    expect(paths(divide(['/srv/viewed', '/srv/again', '/srv/link', '/srv/beside'], ['/srv/again'], more).landlock.readable)).toEqual(['/srv/beside']);
  });

  it('leaves a directory behind whose other entries are known: by what they are, directories where they can be replaced', () => {
    const more = { files: [`${root}/srv/viewed`] };
    const known = (divided: ReturnType<typeof divide>) => divided.served.knownEntries.map(({ path, entries }) => (
      [path.replace(root, ''), [...entries].filter(([, found]) => found === null).map(([name]) => name), [...entries.keys()].sort()]));
    const all = ['again', 'beside', 'deep', 'link', 'viewed'];
    expect(known(divide(['/srv'], [], more))).toEqual([['/srv', ['deep'], all]]);
    expect(known(divide([], ['/srv'], more))).toEqual([['/srv', [], all]]);
    expect(known(divide(['/srv'], ['/srv'], more))).toEqual([['/srv', [], all]]);
  });

  it('has a name in each mount of its file system, and in no other', () => {
    const mounts = parseMountInfo([
      '1 0 8:1 / / rw - ext4 /dev/a rw', '2 1 0:5 / /dev rw - devtmpfs d rw', '3 1 0:5 / /jail/dev rw - devtmpfs d rw', '4 1 0:5 /null /jail/null rw - devtmpfs d rw',
      '5 1 0:5 /urandom /etc/u rw - devtmpfs d rw', '6 1 8:1 /etc /mnt rw - ext4 /dev/a rw', '7 1 0:9 / /srv rw - tmpfs t rw', '8 1 0:7 / /srv rw - tmpfs t rw', '',
    ].join('\n'));
    expect(mountedNames('/dev/urandom', mounts)).toEqual(['/dev/urandom', '/jail/dev/urandom', '/etc/u']);
    expect(mountedNames('/etc/hosts', mounts)).toEqual(['/etc/hosts', '/mnt/hosts']);
    expect(mountedNames('/mnt/hosts', mounts)).toEqual(['/etc/hosts', '/mnt/hosts']);
    expect(mountedNames('/srv/x', mounts)).toEqual(['/srv/x']);
  });
});

describe('holes', () => {
  it('are found at every mount point of a procfs or sysfs', () => {
    const mounts = parseMountInfo([
      '22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw',
      '23 1 0:22 / /sys rw - sysfs sysfs rw',
      '24 23 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
      '25 23 0:24 / /mnt/pids rw - cgroup cgroup rw,pids',
      '30 1 0:21 /1 /srv/a\\040b/p rw - proc proc rw',
      '31 1 8:1 / / rw shared:1 master:2 - ext4 /dev/sda1 rw',
      '',
    ].join('\n'));
    const ancestry = (path: string) => ({ ...statSync('/', { bigint: true }), mountId: mounts.find((mount) => mount.path === path)!.id, above: [] });
    const found = holes([], { mounts: () => mounts, ancestry, networkDevices: (sysfs) => [`${sysfs}/devices/virtual/net`] });
    expect(found.procfs).toEqual(['/proc', '/srv/a b/p']);
    expect(found.sysfs).toEqual(['/sys']);
    expect(found.cgroups).toEqual(['/mnt/pids', '/sys/fs/cgroup']);
    expect(found.blocked('/sys')).toEqual(['/sys/class/net', '/sys/devices/virtual/net', '/sys/firmware', '/sys/kernel/security']);
  });

  it('are the files that views stand in for, outside of any procfs, and where there is one', () => {
    const found = holes(['/proc/version', join(root, 'srv/link'), '/nowhere/at/all', '/dev/null'].map((path) => ({ path })));
    expect(found.files).toContain(join(root, 'srv/viewed'));
    expect(found.files).toContain('/dev/null');
    expect(found.files.filter((path) => path.startsWith('/proc') || path.includes('nowhere'))).toEqual([]);
    expect(found.identities.size).toBe(2);
  });

  it('of this machine include its own /proc', () => {
    expect(holes([]).procfs).toContain('/proc');
  });
});
