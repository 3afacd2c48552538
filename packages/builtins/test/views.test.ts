import { AT_EMPTY_PATH, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY } from '@sandlock/sys';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { hostname, viewFile, views, watchedFdBase, type ViewsOptions } from '../src/index.js';
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

/** Every descriptor is watched, so that all come here. */
function family(options: Partial<ViewsOptions> = {}) {
  return views({
    views: hostname({ name: 'box' }).views, grants: { mayRead: () => true, mayWrite: () => true },
    members: { isMember: () => true, pids: () => [], count: () => 0 }, watchedFdBase: 0, procGranted: true, ...options,
  });
}

describe('views family', () => {
  const nothing = { procGranted: false, grants: { mayRead: () => false, mayWrite: () => false } };

  it('asks to be told of nothing where it has nothing to serve', () => {
    expect(family(nothing).handlers).toEqual({});
    const opens = ['open', 'creat', 'openat', 'openat2'];
    for (const something of [
      { procGranted: true }, { directories: ['/etc'] }, { grants: { mayRead: (path: string) => path === '/etc/hostname', mayWrite: () => false } },
      { views: [{ ...hostname({ name: 'box' }).views[0]!, needsGrant: false }] },
    ]) expect(Object.keys(family({ ...nothing, ...something }).handlers)).toEqual(expect.arrayContaining(opens));
  });
});

describe('views family: open', () => {
  it.each(['/etc/hostname', '//etc//hostname', '/etc/./hostname', '/etc/../etc/hostname', '/../etc/hostname', '/proc/sys/kernel/hostname'])('yields the name for %s', async (path) => {
    const target = new Supervised(family());
    const at = target.memory(path);
    const answer = { kind: 'fd', content: 'box\n', cloexec: false };
    expect(await target.call('open', [at, 0])).toMatchObject(answer);
    expect(await target.call('openat', [AT_FDCWD, at, 0])).toMatchObject(answer);
    expect(await target.call('openat2', [AT_FDCWD, at, target.memory(openHow(0)), 24])).toMatchObject(answer);
    expect(await target.call('openat', [AT_FDCWD, at, O_CLOEXEC])).toMatchObject({ ...answer, cloexec: true });
  });

  it.each(['/etc/hosts', '/hostname', '/etc/hostname.bak', '/etc/myhostname', '/usr', '', 'hostname', 'src/hostname', '/etc/\xffhostname', '/etc/hostname/x'])('continues for "%s"', async (path) => {
    const target = new Supervised(family());
    expect(await target.call('openat', [AT_FDCWD, target.memory(path), 0])).toEqual({ kind: 'continue' });
  });

  it('resolves relative paths from the directory they start at', async () => {
    const target = new Supervised(family());
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

  it('asks once whether a process is a member, however often a path names it', async () => {
    const asked: number[] = [];
    const target = new Supervised(family({ members: { isMember: (pid) => { asked.push(pid); return true; }, pids: () => [], count: () => 0 } }));
    const path = `/proc${`/${process.ppid}/..`.repeat(200)}/sys/kernel/hostname`;
    expect(await target.call('openat', [AT_FDCWD, target.memory(path), 0])).toMatchObject({ content: 'box\n' });
    expect(asked).toEqual([process.ppid]);
  });

  it('says whose file it is and by what name, also where a descriptor leads to it', async () => {
    const view = viewFile('/proc/self/stat', ({ asker, subject, name }) => `${asker.tgid} ${subject.tgid} ${subject.pid} ${name}`);
    const [own, other] = [process.pid, process.ppid];
    const thread = Number(readdirSync('/proc/self/task').at(-1));
    const fds = [`/proc/${other}/stat`, `/proc/${own}/task/${thread}/stat`].map((path) => openSync(path, 'r'));
    const opens = async (path: string, members: number[]) => {
      const target = new Supervised(family({ views: [view], members: { isMember: (pid) => members.includes(pid), pids: () => [], count: () => 0 } }));
      return target.call('openat', [AT_FDCWD, target.memory(path), 0]);
    };
    for (const path of [`/proc/${other}/stat`, `/proc/self/fd/${fds[0]}`]) {
      expect(await opens(path, [other])).toMatchObject({ content: `${own} ${other} ${other} /proc/${other}/stat` });
      expect(await opens(path, [])).toMatchObject({ errno: 'ENOENT' });
    }
    for (const path of [`/proc/self/task/${thread}/stat`, `/proc/thread-self/../${thread}/stat`, `/proc/self/fd/${fds[1]}`]) {
      expect(await opens(path, [])).toMatchObject({ content: `${own} ${own} ${thread} /proc/${own}/task/${thread}/stat` });
    }
    expect(await opens('/proc/self/./stat', [])).toMatchObject({ content: `${own} ${own} ${own} /proc/${own}/stat` });
    for (const fd of fds) closeSync(fd);
  });

  it('knows the directories that openat2 can confine a path to', async () => {
    const target = new Supervised(family());
    const etc = openSync('/etc', 'r');
    const root = openSync('/', 'r');
    const open = (fd: number, path: string, resolve: bigint) => (
      target.call('openat2', [fd, target.memory(path), target.memory(openHow(0, resolve)), 24]));
    expect(await open(etc, '/hostname', RESOLVE_IN_ROOT)).toMatchObject({ content: 'box\n' });
    expect(await open(etc, '../../hostname', RESOLVE_IN_ROOT)).toMatchObject({ content: 'box\n' });
    expect(await open(root, '/etc/hostname', RESOLVE_IN_ROOT)).toMatchObject({ content: 'box\n' });
    expect(await open(etc, '/etc/hostname', RESOLVE_IN_ROOT)).toEqual({ kind: 'continue' });
    expect(await open(etc, 'hostname', RESOLVE_BENEATH)).toMatchObject({ content: 'box\n' });
    // For the kernel to say: EXDEV.
    expect(await open(etc, '/etc/hostname', RESOLVE_BENEATH)).toEqual({ kind: 'continue' });
    expect(await open(etc, '../etc/hostname', RESOLVE_BENEATH)).toEqual({ kind: 'continue' });
    closeSync(etc);
    closeSync(root);
  });

  it.each([
    [O_WRONLY, 'EACCES'], [O_RDWR, 'EACCES'], [O_TRUNC, 'EACCES'], [O_RDWR | O_CREAT, 'EACCES'], [O_CREAT | O_EXCL, 'EEXIST'],
    [O_DIRECTORY, 'ENOTDIR'], [O_DIRECTORY | O_WRONLY, 'ENOTDIR'], [O_TMPFILE | O_RDWR, 'ENOTDIR'],
  ])('fails with flags %i as a file that may only be read: %s', async (flags, errno) => {
    const target = new Supervised(family());
    expect(await target.call('openat', [AT_FDCWD, target.memory('/etc/hostname'), flags])).toMatchObject({ errno });
  });

  it('fails as on a file with a slash behind it, and for creat', async () => {
    const target = new Supervised(family());
    expect(await target.call('open', [target.memory('/etc/hostname/'), 0])).toMatchObject({ errno: 'ENOTDIR' });
    expect(await target.call('open', [target.memory('/etc/hostname/'), O_CREAT])).toMatchObject({ errno: 'EISDIR' });
    expect(await target.call('creat', [target.memory('/etc/hostname'), 0o644])).toMatchObject({ errno: 'EACCES' });
    expect(await target.call('creat', [target.memory('/tmp/other'), 0o644])).toEqual({ kind: 'continue' });
  });

  it('never continues for what it could not read', async () => {
    const target = new Supervised(family());
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

describe('views family: stat', () => {
  it('finds nothing where a view has nothing', async () => {
    const target = new Supervised(family({ views: [viewFile('/etc/none', () => undefined), viewFile('/etc/some', () => 'some')] }));
    const at = target.memory(Buffer.alloc(256));
    expect(await target.call('statx', [AT_FDCWD, target.memory('/etc/none'), 0, 0xfff, at])).toMatchObject({ errno: 'ENOENT' });
    expect(await target.call('statx', [AT_FDCWD, target.memory('/etc/some'), 0, 0xfff, at])).toMatchObject({ kind: 'returnValue' });
  });

  it('leaves what is about a descriptor itself to the kernel, without a path too', async () => {
    const target = new Supervised(family());
    for (const path of [0n, target.memory('')]) {
      expect(await target.call('newfstatat', [AT_FDCWD, path, 0x1000, AT_EMPTY_PATH])).toEqual({ kind: 'continue' });
      expect(await target.call('statx', [AT_FDCWD, path, AT_EMPTY_PATH, 0x7ff, 0x1000])).toEqual({ kind: 'continue' });
    }
    expect(await target.call('newfstatat', [AT_FDCWD, 0, 0x1000, 0])).toMatchObject({ errno: 'EFAULT' });
  });

  it('waits for what a view takes a while to find out, and is EIO where that fails', async () => {
    const late = viewFile('/etc/late', () => async () => 'late');
    const failing = viewFile('/etc/failing', () => async () => { throw new Error('no'); });
    const target = new Supervised(family({ views: [late, failing] }));
    const at = target.memory(Buffer.alloc(256));
    expect(await target.call('statx', [AT_FDCWD, target.memory('/etc/late'), 0, 0xfff, at])).toMatchObject({ kind: 'returnValue' });
    expect(target.listener.memory(process.pid, at + 40n, 8).readBigUInt64LE()).toBe(4n); // stx_size
    expect(await target.call('statx', [AT_FDCWD, target.memory('/etc/failing'), 0, 0xfff, at])).toMatchObject({ errno: 'EIO' });
    expect(await target.call('access', [target.memory('/etc/failing'), 4])).toMatchObject({ kind: 'returnValue' });
  });
});

describe('views family: stat of what takes a while', () => {
  it('is told when it is not wanted any more', async () => {
    let told: AbortSignal | undefined;
    const never = viewFile('/etc/never', () => (signal) => {
      told = signal;
      return new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason as Error)); });
    });
    const target = new Supervised(family({ views: [never] }));
    const args = [AT_FDCWD, target.memory('/etc/never'), 0, 0xfff, target.memory(Buffer.alloc(256))];
    const call = target.listener.notify('statx', { pid: process.pid, args });
    await expect.poll(() => told?.aborted, { timeout: 10_000 }).toBe(false);
    target.listener.withdraw(call);
    await expect.poll(() => told?.aborted, { timeout: 10_000 }).toBe(true);
  });
});

describe('views family: what is notified', () => {
  const conditions = (options: Partial<ViewsOptions>) => Object.fromEntries(
    Object.entries(family(options).handlers).map(([name, entry]) => [name, (entry as { when?: unknown }).when]));

  it('is an open at a watched descriptor or the working directory, and no other', () => {
    const { open, openat } = conditions({ watchedFdBase: 960 }) as Record<string, object | undefined>;
    expect(open).toBeUndefined();
    expect(openat).toMatchObject({ index: 0, op: 'ge', value: 960n, width: 32 });
    expect([watchedFdBase(1024), watchedFdBase(2 ** 20), watchedFdBase(256), watchedFdBase(16), watchedFdBase(3)]).toEqual([960, 960, 192, 8, 2]);
  });

  it('is stat(2) and its like, by name, only where something of /proc is granted', () => {
    expect(Object.keys(conditions({ procGranted: false })).sort()).toEqual([
      'creat', 'fstat', 'landlock_restrict_self', 'newfstatat', 'open', 'openat', 'openat2', 'prlimit64', 'setrlimit', 'statx', 'symlink', 'symlinkat',
    ]);
    expect(Object.keys(conditions({}))).toEqual(expect.arrayContaining(['stat', 'newfstatat', 'statx', 'readlink', 'faccessat2', 'chdir', 'dup']));
  });
});
