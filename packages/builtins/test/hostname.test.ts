import { O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY, uname } from '@sandlock/sys';
import { closeSync, openSync } from 'node:fs';
import { release } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';

import { hostname } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

const AT_FDCWD = -100;
const RESOLVE_BENEATH = 0x08n;
const RESOLVE_IN_ROOT = 0x10n;

afterEach(closeAll);

function openHow(flags: number, resolve = 0n): Buffer {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags), 0);
  how.writeBigUInt64LE(resolve, 16);
  return how;
}

describe('hostname family: uname', () => {
  it('answers with the kernel\'s structure and the sandbox\'s name', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    const at = target.memory(Buffer.alloc(390, 0xff));
    expect(await target.call('uname', [at])).toEqual({ kind: 'returnValue', value: 0n });
    const written = target.listener.memory(process.pid, at, 390);
    const field = (n: number) => written.toString('latin1', n * 65, written.indexOf(0, n * 65));
    expect([field(0), field(1), field(2)]).toEqual(['Linux', 'box', release()]);
    expect(written.subarray(130)).toEqual(uname().subarray(130));
    expect(written.subarray(68, 130).every((byte) => byte === 0)).toBe(true);
  });

  it('fails with EFAULT on a bad pointer', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    target.memory('mapped');
    expect(await target.call('uname', [0x666000])).toMatchObject({ errno: 'EFAULT' });
    expect(await target.call('uname', [0])).toMatchObject({ errno: 'EFAULT' });
  });

  it('takes names up to 64 bytes', async () => {
    const target = new Supervised(hostname({ name: 'ä'.repeat(32) }));
    const at = target.memory(Buffer.alloc(390, 0xff));
    await target.call('uname', [at]);
    expect(target.listener.memory(process.pid, at + 65n, 65)).toEqual(Buffer.from(`${'ä'.repeat(32)}\0`));
    for (const name of ['', 'x'.repeat(65), 'a\0b', 'a\nb']) expect(() => hostname({ name }), name).toThrow(RangeError);
  });
});

describe('hostname family: open', () => {
  it.each(['/etc/hostname', '//etc//hostname', '/etc/./hostname', '/etc/../etc/hostname', '/../etc/hostname', '/proc/sys/kernel/hostname'])('yields the name for %s', async (path) => {
    const target = new Supervised(hostname({ name: 'box' }));
    const at = target.memory(path);
    const answer = { kind: 'fd', content: 'box\n', cloexec: false };
    expect(await target.call('open', [at, 0])).toMatchObject(answer);
    expect(await target.call('openat', [AT_FDCWD, at, 0])).toMatchObject(answer);
    expect(await target.call('openat2', [AT_FDCWD, at, target.memory(openHow(0)), 24])).toMatchObject(answer);
    expect(await target.call('openat', [AT_FDCWD, at, O_CLOEXEC])).toMatchObject({ ...answer, cloexec: true });
  });

  it.each(['/etc/hosts', '/hostname', '/etc/hostname.bak', '/etc/myhostname', '/etc', '', '/', 'hostname', 'src/hostname', '/etc/\xffhostname', '/etc/hostname/x'])('continues for "%s"', async (path) => {
    const target = new Supervised(hostname({ name: 'box' }));
    expect(await target.call('openat', [AT_FDCWD, target.memory(path), 0])).toEqual({ kind: 'continue' });
  });

  it('resolves relative paths from the directory they start at', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    const etc = openSync('/etc', 'r');
    const root = openSync('/', 'r');
    expect(await target.call('openat', [etc, target.memory('hostname'), 0])).toMatchObject({ content: 'box\n' });
    expect(await target.call('openat', [root, target.memory('etc/hostname'), 0])).toMatchObject({ content: 'box\n' });
    expect(await target.call('openat', [root, target.memory('hostname'), 0])).toEqual({ kind: 'continue' });
    expect(await target.call('openat', [etc, target.memory('../hostname'), 0])).toEqual({ kind: 'continue' });
    const deep = target.memory(`${'../'.repeat(40)}etc/hostname`);
    expect(await target.call('open', [deep, 0])).toMatchObject({ content: 'box\n' });
    closeSync(etc);
    closeSync(root);
    expect(await target.call('openat', [etc, target.memory('hostname'), 0])).toMatchObject({ errno: 'EBADF' });
    expect(await target.call('openat', [-1, target.memory('hostname'), 0])).toMatchObject({ errno: 'EBADF' });
    expect(await target.call('openat', [-1, target.memory('/etc/hostname'), 0])).toMatchObject({ content: 'box\n' });
  });

  it('knows the directories that openat2 can confine a path to', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    const etc = openSync('/etc', 'r');
    const root = openSync('/', 'r');
    const open = (fd: number, path: string, resolve: bigint) => (
      target.call('openat2', [fd, target.memory(path), target.memory(openHow(0, resolve)), 24]));
    expect(await open(etc, '/hostname', RESOLVE_IN_ROOT)).toMatchObject({ content: 'box\n' });
    expect(await open(etc, '../../hostname', RESOLVE_IN_ROOT)).toMatchObject({ content: 'box\n' });
    expect(await open(root, '/etc/hostname', RESOLVE_IN_ROOT)).toMatchObject({ content: 'box\n' });
    expect(await open(etc, '/etc/hostname', RESOLVE_IN_ROOT)).toEqual({ kind: 'continue' });
    expect(await open(etc, 'hostname', RESOLVE_BENEATH)).toMatchObject({ content: 'box\n' });
    expect(await open(etc, '/etc/hostname', RESOLVE_BENEATH)).toMatchObject({ errno: 'EXDEV' });
    expect(await open(etc, '../etc/hostname', RESOLVE_BENEATH)).toMatchObject({ errno: 'EXDEV' });
    closeSync(etc);
    closeSync(root);
  });

  it.each([
    [O_WRONLY, 'EROFS'], [O_RDWR, 'EROFS'], [O_TRUNC, 'EROFS'], [O_RDWR | O_CREAT, 'EROFS'], [O_CREAT | O_EXCL, 'EEXIST'],
    [O_DIRECTORY, 'ENOTDIR'], [O_DIRECTORY | O_WRONLY, 'ENOTDIR'], [O_TMPFILE | O_RDWR, 'ENOTDIR'],
  ])('fails with flags %i as a read-only file system would: %s', async (flags, errno) => {
    const target = new Supervised(hostname({ name: 'box' }));
    expect(await target.call('openat', [AT_FDCWD, target.memory('/etc/hostname'), flags])).toMatchObject({ errno });
  });

  it('fails as on a file with a slash behind it, and for creat', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    expect(await target.call('open', [target.memory('/etc/hostname/'), 0])).toMatchObject({ errno: 'ENOTDIR' });
    expect(await target.call('open', [target.memory('/etc/hostname/'), O_CREAT])).toMatchObject({ errno: 'EISDIR' });
    expect(await target.call('creat', [target.memory('/etc/hostname'), 0o644])).toMatchObject({ errno: 'EROFS' });
    expect(await target.call('creat', [target.memory('/tmp/other'), 0o644])).toEqual({ kind: 'continue' });
  });

  it('never continues for what it could not read', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    target.memory('mapped');
    expect(await target.call('open', [0x666000, 0])).toMatchObject({ errno: 'EFAULT' });
    expect(await target.call('openat', [AT_FDCWD, 0, 0])).toMatchObject({ errno: 'EFAULT' });
    expect(await target.call('open', [target.memory('x'.repeat(5000)), 0])).toMatchObject({ errno: 'ENAMETOOLONG' });
    expect(await target.call('openat2', [AT_FDCWD, target.memory('/etc/hostname'), 0x666000, 24])).toMatchObject({ errno: 'EFAULT' });
    target.listener.fail('readMemory', 'EPERM');
    expect(await target.call('open', [target.memory('/etc/hosts'), 0])).toMatchObject({ errno: 'EACCES' });
    // A task whose directory cannot be told.
    target.listener.mapString(2 ** 22 + 1, 0x5000n, 'hostname');
    expect(await target.call('open', [0x5000n, 0], { pid: 2 ** 22 + 1 })).toMatchObject({ errno: 'EACCES' });
  });
});
