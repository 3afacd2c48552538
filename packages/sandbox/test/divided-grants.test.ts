import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { divideGrants } from '../src/landlock/divided-grants.js';
import { holes } from '../src/landlock/holes.js';
import { parseMountInfo } from '../src/landlock/mount-points.js';

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
const paths = (grants: readonly { path: Uint8Array }[]) => grants.map(({ path }) => Buffer.from(path).toString().replace(root, '')).sort();
const machine = () => ({
  procfs: [`${root}/proc`],
  sysfs: [`${root}/sys`],
  cgroups: [`${root}/sys/fs/cgroup`],
  blocked: (sysfs: string) => [`${sysfs}/class/net`, `${sysfs}/firmware`, `${sysfs}/kernel/security`],
});
const divide = (readable: string[], writable: string[] = []) => divideGrants({
  readable: readable.map((path) => grant(`${root}${path}`)), writable: writable.map((path) => grant(`${root}${path}`)),
}, machine());

describe('divided grants', () => {
  it('leave a grant without a hole as it is', () => {
    const given = grant(`${root}/usr`);
    const { landlock, served } = divideGrants({ readable: [given], writable: [] }, machine());
    expect(landlock.readable).toEqual([given]);
    expect(landlock.readable[0]).toBe(given);
    expect(served).toEqual({ readable: [], writable: [], directories: [] });
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
    ].join('\n'), new Set(['proc', 'sysfs', 'cgroup', 'cgroup2']));
    const found = holes({ mounts: () => mounts, networkDevices: (sysfs) => [`${sysfs}/devices/virtual/net`] });
    expect(found.procfs).toEqual(['/proc', '/srv/a b/p']);
    expect(found.sysfs).toEqual(['/sys']);
    expect(found.cgroups).toEqual(['/mnt/pids', '/sys/fs/cgroup']);
    expect(found.blocked('/sys')).toEqual(['/sys/class/net', '/sys/devices/virtual/net', '/sys/firmware', '/sys/kernel/security']);
  });

  it('of this machine include its own /proc', () => {
    expect(holes().procfs).toContain('/proc');
  });
});
