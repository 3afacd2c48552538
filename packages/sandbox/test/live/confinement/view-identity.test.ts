/** Which file a view is: the same by its name and by its descriptor, for programs that compare the two. */
import { statSync } from 'node:fs';
import { expect, it, vi } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, scratch } from './calls.js';

// Some start a dozen sandboxes, one after the other.
vi.setConfig({ testTimeout: 60_000 });

const system = ['/usr', '/etc', ...['/lib', '/lib64', '/bin', '/dev/null', process.execPath].map((path) => ({ path, optional: true }))];
const HOSTS = '127.0.0.1 localhost\n::1 localhost\n';
const START = '2001-02-03T04:05:06Z';

async function run(command: readonly string[], options: SandboxOptions): Promise<string> {
  const { fsReadable = [], ...rest } = options;
  const box = new Sandbox({ fsReadable: [...system, ...fsReadable], name: 'box', ...rest });
  const { exitCode, stdout, stderr } = await box.run(command, { timeout: 60_000 });
  expect({ exitCode, stderr: String(stderr) }).toEqual({ exitCode: 0, stderr: '' });
  return String(stdout);
}

const PRELUDE = `
import ctypes, errno, fcntl, json, os, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def tried(work, *args):
    try: return work(*args)
    except OSError as error: return errno.errorcode[error.errno]
def identity(st): return [st.st_dev, st.st_ino, st.st_nlink]
def opened(path, flags=os.O_RDONLY): return os.open(path, flags)
def statx(fd, path=b'', flags=0x1000, mask=0x7ff):
    to = ctypes.create_string_buffer(256); ctypes.set_errno(0)
    if libc.statx(fd, path, flags, mask, to) != 0: return errno.errorcode[ctypes.get_errno()]
    word = lambda at, size: int.from_bytes(to.raw[at:at + size], 'little')
    return [os.makedev(word(136, 4), word(140, 4)), word(32, 8), word(16, 4)]
`;
const python = async (program: string, options: SandboxOptions, ...args: string[]): Promise<unknown> => (
  JSON.parse(await run(['/usr/bin/python3', '-I', '-c', PRELUDE + program, ...args], options)));

const withProc: SandboxOptions = { fsReadable: ['/proc'], maxMemory: '1G' };
const settings: readonly (readonly [string, SandboxOptions])[] = [
  ['without /proc', {}],
  ['with /proc', withProc],
  ['with a clock', { timeStart: START }],
  ['with a clock that shifts the times of files', { timeStart: START, shiftFileTimes: true }],
  ['with a clock that stands still, and /proc', { ...withProc, timeStart: START, timeFrozen: true, shiftFileTimes: true }],
  ['with sorted directories and a seed', { ...withProc, deterministicDirs: true, randomSeed: 1 }],
];
const views = ({ fsReadable }: SandboxOptions): string[] => [
  '/etc/hosts', '/etc/hostname', ...(fsReadable === undefined ? [] : ['/proc/meminfo', '/proc/stat', '/proc/self/mounts', '/proc/self/net/tcp']),
];

describeConfined('programs that compare a file with its descriptor', () => {
  it.each(settings)('copy, install, pack and compare views %s', async (_, options) => {
    const folder = scratch();
    const stable = ['/etc/hosts', '/etc/hostname', ...(options.fsReadable === undefined ? [] : ['/proc/self/net/tcp'])];
    const text = await run(['bash', '-c', `
cd ${folder}
for view in ${stable.join(' ')}; do
  cat $view > read
  cp $view copied; cp -p $view kept; install -m 600 $view installed; tar -cPf packed.tar $view; tar -xOPf packed.tar > unpacked
  /usr/bin/python3 -Ic 'import shutil, sys; shutil.copy2(sys.argv[1], "python")' $view
  '${process.execPath}' -e 'const fs = require("fs"); fs.copyFileSync(process.argv[1], "node")' $view
  for file in copied kept installed unpacked python node; do diff read $file && cmp $view $file && echo same; done
  rm *
done`], { ...options, fsWritable: [folder, '/dev/null'] });
    expect(text).toBe('same\n'.repeat(6 * stable.length));
  });

  it('copy what a view has changed to meanwhile, and tell one from another', async () => {
    const folder = scratch();
    expect(await run(['bash', '-c', `cd ${folder}
cp /proc/meminfo /proc/stat /proc/self/mounts . && ls
diff -q /proc/meminfo /proc/stat; diff -q /proc/self/mounts /proc/self/mounts || echo differ`], { ...withProc, fsWritable: [folder] }))
      .toBe('meminfo\nmounts\nstat\nFiles /proc/meminfo and /proc/stat differ\n');
  });

  it.each(settings)('follow a view with tail -F %s', async (_, options) => {
    for (const how of ['', '---disable-inotify']) {
      expect(await run(['bash', '-c', `sleep 1 & tail -F -s 0.05 --max-unchanged-stats=1 ${how} --pid=$! /etc/hosts`], options)).toBe(HOSTS);
    }
  });

  it('read a view as their standard input, and by any number they choose', async () => {
    for (const [, options] of settings) {
      expect(await run(['bash', '-c', `
cat < /etc/hosts; exec 3< /etc/hosts; cat <&3; mapfile -t lines < /etc/hosts; printf '%s\\n' "\${lines[@]}"
exec {any}< /etc/hosts; cat <&$any; exec 0< /etc/hosts; cat; cat /dev/fd/7 7< /etc/hosts
dash -c 'cat < /etc/hosts; exec 4< /etc/hosts; cat <&4'`], { ...options, fsReadable: [...options.fsReadable ?? [], '/proc'] })).toBe(HOSTS.repeat(8));
    }
  });
});

describeConfined('a view by its descriptor', () => {
  it.each(settings)('is the file of its name by every call, and no other view, %s', async (_, options) => {
    const got = await python(`
def looks(path):
    fd = opened(path)
    child = subprocess.run([sys.executable, '-Ic', 'import os; st = os.fstat(%d); print([st.st_dev, st.st_ino, st.st_nlink])' % fd], pass_fds=[fd], capture_output=True, text=True)
    forked = os.fork()
    if forked == 0: os._exit(identity(os.fstat(fd)) != identity(os.stat(path)))
    return [identity(os.stat(path)), identity(os.fstat(fd)), identity(os.stat(fd)), statx(fd), statx(fd, None), statx(-100, path.encode(), 0), json.loads(child.stdout), os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])]
print(json.dumps({path: looks(path.replace('/self/', '/%d/' % os.getpid())) for path in sys.argv[1:]}))`, options, ...views(options)) as Record<string, unknown[]>;
    for (const [path, [first, ...others]] of Object.entries(got)) {
      if (!path.startsWith('/proc/self/')) expect(first).toEqual(Object.values(((st) => [st.dev, st.ino, st.nlink])(statSync(path))));
      expect(others).toEqual([...Array<unknown>(6).fill(first), 0]);
    }
    expect(new Set(Object.values(got).map(([first]) => String(first))).size).toBe(Object.keys(got).length);
  });

  it.each(settings)('has the size and the mode of what was handed out, and times as by its name, %s', async (_, options) => {
    const got = await python(`
def facts(path):
    fd = opened(path); at, by = os.fstat(fd), os.stat(path)
    return [at.st_size == len(os.read(fd, 1 << 20)), oct(at.st_mode), at.st_blocks > 0, [at.st_uid, at.st_gid] == [by.st_uid, by.st_gid],
      [at.st_mtime_ns, at.st_ctime_ns, at.st_atime_ns] == [by.st_mtime_ns, by.st_ctime_ns, by.st_atime_ns]]
print(json.dumps([facts(path) for path in sys.argv[1:]]))`, options, '/etc/hosts', '/etc/hostname');
    expect(got).toEqual(Array(2).fill([true, '0o100444', true, true, true]));
  });

  it('is refused what the kernel refuses, and a directory or another file beside it is what it is', async () => {
    const of = (path: string) => ((st) => [st.dev, st.ino, st.nlink])(statSync(path));
    expect(await python(`
fd = opened('/etc/hosts')
fcntl_high = fcntl.fcntl(opened('/usr/bin/python3'), fcntl.F_DUPFD, fd - 3)
print(json.dumps([statx(fd, b'', 0), statx(fd, b'x'), statx(fd, b'', 0x7000), statx(fd, b'', 0x1000, 0x80000000), statx(fd, b'/usr'),
  tried(os.fstat, 4000), fcntl_high == fd - 3, identity(os.fstat(fcntl_high)), statx(fcntl_high), identity(os.fstat(opened('/etc', os.O_DIRECTORY)))]))`, withProc))
      .toEqual(['ENOENT', 'ENOTDIR', 'EINVAL', 'EINVAL', of('/usr'), 'EBADF', true, of('/usr/bin/python3'), of('/usr/bin/python3'), of('/etc')]);
  });

  it('is told from any other file at its number, one with a name that the kernel cannot give too', async () => {
    const folder = scratch();
    expect(await python(`
os.chdir(sys.argv[1]); names = ['x' * 250] * 20
deep = os.open('file', os.O_CREAT | os.O_RDWR); at = opened('/etc/hosts'); read, write = os.pipe()
for name in names: os.mkdir(name); os.chdir(name)
os.rename(sys.argv[1] + '/file', 'deep')
def moved(fd):
    os.dup2(fd, at); return identity(os.fstat(at)) == identity(os.fstat(fd)) == statx(at)
seen = [tried(os.readlink, '/proc/self/fd/%d' % deep), moved(deep), moved(read), moved(opened('/usr')), moved(opened('/etc/passwd'))]
os.unlink('deep'); seen += [moved(deep)]
for name in names: os.chdir('..'); os.rmdir(name)
print(json.dumps(seen))`, { fsWritable: [folder] }, folder)).toEqual(['ENAMETOOLONG', true, true, true, true, true]);
  });

  it('takes the place of a standard stream that was closed, and no lower number otherwise', async () => {
    for (const [, options] of settings) {
      expect(await python(`
high = opened('/etc/hosts')
os.close(0); zero = opened('/etc/hosts'); first = os.read(zero, 9).decode()
os.close(2); two = opened('/etc/hosts')
os.dup2(high, 7); os.lseek(7, 0, 0)
print(json.dumps([high > 20, zero, first, two, os.dup(high) < high, os.read(7, 9).decode()]))`, options)).toEqual([true, 0, '127.0.0.1', 2, true, '127.0.0.1']);
    }
  });

  it('leaves as many descriptors as there are, and each its own, however low the limit', async () => {
    const program = `
def fill():
    fds = []
    while True:
        fd = tried(os.open, '/etc/hosts', os.O_RDONLY)
        if not isinstance(fd, int): return fds, fd
        fds.append(fd)
fds, error = fill()
whole = all(os.read(fd, 100).decode() == sys.argv[1] for fd in fds)
low, high = sorted(fds)[0], sorted(fds)[-1]
for fd in fds[10:20]: os.close(fd)
again, _ = fill()
print(json.dumps([len(set(fds)), len(fds), error, whole, low, high, sorted(again) == sorted(fds[10:20])]))`;
    for (const maxOpenFiles of [26, 64, 200, 1200]) {
      const expected = [maxOpenFiles - 3, maxOpenFiles - 3, 'EMFILE', true, 3, maxOpenFiles - 1, true];
      for (const options of [{}, withProc]) expect(await python(program, { ...options, maxOpenFiles }, HOSTS)).toEqual(expected);
    }
  });

  it('has the number that the kernel would give where threads share the table, and none that one of them chose', async () => {
    for (const options of [{}, withProc]) {
      expect(await python(`
alone = opened('/etc/hosts'); os.close(alone)
ready, got, lock = threading.Barrier(8), [], threading.Lock()
def work(path):
    ready.wait()
    for _ in range(20):
        fds = [opened(path) for _ in range(5)]
        with lock: got.append((max(fds), len(set(fds)), all(os.read(fd, 1) for fd in fds)))
        for fd in fds: os.close(fd)
paths = sys.argv[1:] * 4
threads = [threading.Thread(target=work, args=(path,)) for path in paths[:8]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([alone, len(got), max(highest for highest, _, _ in got) < alone - 8, {count for _, count, _ in got} == {5}, all(whole for _, _, whole in got)]))`, options, ...views(options).slice(0, 2), ...views(options).slice(-2)))
        .toEqual([63, 160, true, true, true]);
    }
  });

  it('cannot be passed for by a file of the program, but for what is known of that view anyway', async () => {
    const outsider = process.pid;
    for (const options of [{}, withProc]) {
      expect(await python(`
at = opened('/etc/hosts')
def forged(name):
    fd = os.memfd_create(name); os.write(fd, b'mine'); os.dup2(fd, at)
    st = os.fstat(at); return [identity(st) == identity(os.fstat(fd)), identity(st) == identity(os.stat('/etc/hosts')), st.st_size]
print(json.dumps([forged(name) for name in ('sandlock:/etc/hosts', 'sandlock:/etc/passwd', 'sandlock:/etc/../etc/hosts', 'sandlock:/proc/${outsider}/mounts', 'sandlock:/proc/${outsider}/task/${outsider}/mounts', 'sandlock', 'other', 'sandlock:')]))`, options))
        .toEqual([[false, true, 4], ...Array<unknown>(7).fill([true, false, 4])]);
    }
  });
});
