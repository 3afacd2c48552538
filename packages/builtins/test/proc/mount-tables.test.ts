import { statfsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { fileSystemName } from '../../src/proc/file-system-name.js';
import { mountInfo, mounts, mountStats, type MountTable } from '../../src/proc/mount-tables.js';

const TABLE: MountTable = [
  { path: '/', type: 'overlay', writable: false },
  { path: '/my data', type: 'ext4', writable: true },
  { path: '/proc', type: 'proc', writable: false },
];

describe('mount tables without a root of the sandbox\'s own', () => {
  it('have one file system', () => {
    expect(mounts(undefined)).toBe('rootfs / rootfs rw 0 0\n');
    expect(mountInfo(undefined)).toBe('20 1 0:1 / / rw - rootfs rootfs rw\n');
    expect(mountStats(undefined)).toBe('device rootfs mounted on / with fstype rootfs\n');
  });
});

describe('mount tables with a root of the sandbox\'s own', () => {
  it('have the root and its mounts in their order', () => {
    expect(mounts(TABLE)).toBe('sandlock / overlay ro,relatime 0 0\nsandlock /my\\040data ext4 rw,relatime 0 0\nsandlock /proc proc ro,relatime 0 0\n');
    expect(mountInfo(TABLE)).toBe(
      '20 1 8:1 / / ro,relatime - overlay sandlock ro\n21 20 8:1 / /my\\040data rw,relatime - ext4 sandlock rw\n'
      + '22 20 8:1 / /proc ro,relatime - proc sandlock ro\n');
    expect(mountStats(TABLE).split('\n')[1]).toBe('device sandlock mounted on /my\\040data with fstype ext4');
  });

  it('cannot be made to have lines by a name', () => {
    const table: MountTable = [{ path: '/', type: 'ext4', writable: true }, { path: '/a\n/b\t\\', type: 'ext4', writable: true }];
    expect(mounts(table).split('\n')).toEqual(['sandlock / ext4 rw,relatime 0 0', 'sandlock /a\\012/b\\011\\134 ext4 rw,relatime 0 0', '']);
  });
});

describe('file system names', () => {
  it('are those of the kernel\'s numbers', () => {
    expect([0xef53, 0x01021994, 0x9fa0, 0x794c7630, 0x9123683e].map(fileSystemName)).toEqual(['ext4', 'tmpfs', 'proc', 'overlay', 'btrfs']);
    expect(fileSystemName(statfsSync('/proc').type)).toBe('proc');
    expect(fileSystemName(0x9123683e | 0)).toBe('btrfs');
    expect(fileSystemName(1)).toBe('unknown');
  });
});
