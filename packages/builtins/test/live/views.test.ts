/** The views family over programs that nothing else confines: what it answers itself. The rest is Landlock's, elsewhere. */
import { afterEach, describe, expect, it } from 'vitest';

import { ProcessTree, viewFile, views, watchedFdBase, type View, type ViewsOptions } from '../../src/index.js';
import { python } from './python.js';
import { endAll, hasPython, Sandboxed } from './sandboxed.js';

afterEach(endAll);

const BASE = watchedFdBase(1024);

function family(options: Partial<ViewsOptions> = {}) {
  return (guardPid: () => number) => {
    const tree = new ProcessTree(guardPid);
    return [views({
      views: [], grants: { mayRead: () => true, mayWrite: () => true }, members: tree, watchedFdBase: BASE, procGranted: true, ...options,
    })];
  };
}

const own: View = viewFile('/proc/self/mounts', ({ subject, asker }) => `mounts ${subject.tgid === asker.tgid ? 'own' : 'other'}\n`);
const some: readonly View[] = [viewFile('/proc/cpuinfo', () => 'cpus\n'), viewFile('/etc/sandlock-view', () => 'here\n'), own];

describe.skipIf(!hasPython)('views [needs python3]', () => {
  it('stand in for files by every spelling, also where the machine has none', async () => {
    expect(await python(family({ views: some }), `
import os, threading
def read(path, flags=0, dir_fd=None):
    try: fd = os.open(path, flags, dir_fd=dir_fd)
    except OSError as error: return errno.errorcode[error.errno]
    with os.fdopen(fd, 'rb') as file: return file.read().decode()
proc, root, etc, task = (os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ('/proc', '/', '/etc', '/proc/self/task'))
place = os.open('/etc', os.O_PATH)
tid = threading.get_native_id(); pid = os.getpid()
os.chdir('/proc')
cpus = [read(p) for p in ('/proc/cpuinfo', '/proc/./cpuinfo', '/proc/../proc/cpuinfo', '//proc//cpuinfo', '/proc/self/../cpuinfo', 'cpuinfo', './cpuinfo',
  '/proc/self/root/proc/cpuinfo', '/proc/self/cwd/cpuinfo')] + [read('cpuinfo', dir_fd=proc), read('proc/cpuinfo', dir_fd=root), read('../cpuinfo', dir_fd=os.open('self', os.O_RDONLY))]
os.chdir('/')
hosts = [read('/etc/sandlock-view'), read('sandlock-view', dir_fd=etc), read('sandlock-view', dir_fd=place), read('etc/sandlock-view', dir_fd=root), read('etc/sandlock-view')]
mounts = [read(p) for p in ('/proc/mounts', '/proc/self/mounts', '/proc/thread-self/mounts', '/proc/%d/mounts' % pid, '/proc/%d/task/%d/mounts' % (pid, tid), '/proc/self/task/%d/mounts' % tid, '/etc/mtab')]
say([sorted(set(cpus)), len(cpus), sorted(set(hosts)), sorted(set(mounts)), read('%d/mounts' % tid, dir_fd=task), read('/etc/sandlock-view/'), read('/etc/sandlock-view/x'), read('/etc/sandlock-views')])
`)).toEqual([['cpus\n'], 12, ['here\n'], ['mounts own\n'], 'mounts own\n', 'ENOTDIR', 'ENOENT', 'ENOENT']);
  });

  it('have the same size and mode by stat(2) as by fstat(2)', async () => {
    expect(await python(family({ views: some }), `
def facts(st): return (oct(st.st_mode), st.st_size)
def both(path):
    fd = os.open(path, os.O_RDONLY)
    try: return facts(os.stat(path)) == facts(os.lstat(path)) == facts(os.fstat(fd)) and facts(os.stat(path))
    finally: os.close(fd)
buf = ctypes.create_string_buffer(256)
statx = libc.statx(-100, b'/etc/sandlock-view', 0, 0x7ff, buf)
say([both('/proc/cpuinfo'), os.stat('/proc/cpuinfo').st_nlink, both('/etc/sandlock-view'), statx, int.from_bytes(buf.raw[40:48], 'little'), oct(int.from_bytes(buf.raw[28:30], 'little')),
  os.access('/etc/sandlock-view', os.R_OK), os.access('/etc/sandlock-view', os.W_OK), os.access('/proc/cpuinfo', os.X_OK), call(os.readlink, '/etc/sandlock-view'), call(os.chdir, '/etc/sandlock-view'),
  os.fstat(os.open('/etc/sandlock-view', os.O_PATH | os.O_NOFOLLOW)).st_size])
`)).toEqual([['0o100444', 5], 1, ['0o100444', 5], 0, 5, '0o100444', true, false, false, 'EINVAL', 'ENOTDIR', 5]);
  });

  it('show members of the sandbox and nobody else, children of a moment ago and threads included', async () => {
    expect(await python(family(), `
import threading
parent = os.getppid(); outside = ${process.pid}
go, done = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.read(go[0], 1); os._exit(0)
tids = []
thread = threading.Thread(target=lambda: (tids.append(threading.get_native_id()), os.read(done[0], 1))); thread.start()
while not tids: pass
def look(pid): return [kind(f, '/proc/%d%s' % (pid, name)) for f, name in (
  (os.stat, ''), (os.stat, '/status'), (os.lstat, '/exe'), (os.readlink, '/cwd'), (os.listdir, ''), (opened, '/status'), (opened, '/cmdline'), (opened, '/environ'), (os.chdir, ''))]
def opened(path):
    with open(path, 'rb') as file: file.read()
def kind(f, path):
    try: f(path)
    except OSError as error: return errno.errorcode[error.errno]
    return 'ok'
result = {'parent': look(parent), 'outside': look(outside), 'init': look(1), 'child': look(child), 'thread': look(tids[0]), 'none': look(4194303)}
os.chdir('/')
os.write(go[1], b'x'); os.write(done[1], b'x'); thread.join()
import time
for _ in range(200):
    with open('/proc/%d/stat' % child) as f: state = f.read().rsplit(')', 1)[1].split()[0]
    if state == 'Z': break
    time.sleep(.01)
os.waitpid(child, 0)
result['ended'] = [state, look(child)[0]]
say(result)
`)).toEqual({
      parent: Array(9).fill('ENOENT'), outside: Array(9).fill('ENOENT'), init: Array(9).fill('ENOENT'), none: Array(9).fill('ENOENT'),
      child: Array(9).fill('ok'), thread: Array(9).fill('ok'), ended: ['Z', 'ENOENT'],
    });
  });

  it('put directories at watched numbers', async () => {
    expect(await python(family(), `
import fcntl
fds = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ('/proc', '/proc/self', '/', '/usr')]
inheritable = os.open('/proc', os.O_RDONLY); plain = libc.open(b'/proc', 0)
dup = [os.dup(fds[0]), fcntl.fcntl(fds[0], fcntl.F_DUPFD, 3), fcntl.fcntl(fds[0], fcntl.F_DUPFD_CLOEXEC, 3), fcntl.fcntl(fds[0], fcntl.F_DUPFD, 1000)]
links = [os.readlink('/proc/self/fd/%d' % fd) for fd in dup]
cloexec = [fcntl.fcntl(fd, fcntl.F_GETFD) for fd in (inheritable, plain)]
result = [[fd >= ${BASE} for fd in fds], links == ['/proc'] * 4, [fd >= ${BASE} for fd in dup], cloexec, call(os.dup2, fds[0], 5), call(os.dup2, fds[1], 5)]
say(result)
`)).toEqual([[true, true, true, false], true, [true, true, true, true], [1, 0], 'EMFILE', 5]);
  });

  it('say EMFILE where the limit leaves no watched number for the list of processes', async () => {
    const sandboxed = new Sandboxed(['/usr/bin/python3', '-I', '-c', `
import errno, os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (${BASE}, 1024))
try: os.open('/proc', os.O_RDONLY)
except OSError as error: print(errno.errorcode[error.errno], os.open('/proc/self', os.O_RDONLY) < ${BASE})`], family());
    expect(await sandboxed.done).toMatchObject({ stdout: 'EMFILE True\n', stderr: '' });
    expect(sandboxed.reports).toMatchObject([{ type: 'injectionFailed', reason: 'EMFILE' }]);
  });

  it('are refused where the name is not granted, before there is any content', async () => {
    let made = 0;
    const hidden = viewFile('/proc/cpuinfo', () => { made++; return 'x'; });
    const free = viewFile('/etc/sandlock-view', () => 'free', { needsGrant: false });
    const mayRead = (path: string): boolean => path === '/proc/self/status' || path === '/proc/self/comm';
    expect(await python(family({ views: [hidden, free], grants: { mayRead, mayWrite: (path) => path === '/proc/self/comm' } }), `
say([call(os.open, '/proc/cpuinfo', os.O_RDONLY), open('/etc/sandlock-view').read(), call(os.open, '/proc/self/status', os.O_RDONLY) > 2,
  call(os.open, '/proc/%d/status' % os.getpid(), os.O_RDONLY) > 2, call(os.open, '/proc/self/stat', os.O_RDONLY), call(os.open, '/proc/version', os.O_RDONLY),
  call(os.open, '/proc/self/comm', os.O_WRONLY) > 2, call(os.open, '/proc/self/oom_score_adj', os.O_WRONLY), call(os.open, '/proc', os.O_RDONLY)])
`)).toEqual(['EACCES', 'free', true, true, 'EACCES', 'EACCES', true, 'EACCES', 'EACCES']);
    expect(made).toBe(0);
  });

  it('let a program write its own harmless settings, and nothing else of /proc', async () => {
    expect(await python(family(), `
child = os.fork()
if child == 0:
    import time; time.sleep(20); os._exit(0)
def write(path, text='1'):
    try:
        with open(path, 'w') as file: file.write(text)
    except OSError as error: return errno.errorcode[error.errno]
    return 'ok'
result = {path: write(path) for path in ('/proc/self/comm', '/proc/self/oom_score_adj', '/proc/self/task/%d/comm' % os.getpid(), '/proc/%d/oom_score_adj' % child,
  '/proc/self/mem', '/proc/sys/vm/swappiness', '/proc/kallsyms', '/proc/self/clear_refs', '/proc/sys/kernel/core_pattern')}
os.kill(child, 9); os.waitpid(child, 0)
say([list(result.values()), open('/proc/self/comm').read(), open('/proc/self/oom_score_adj').read()])
`)).toEqual([['ok', 'ok', 'ok', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES'], '1\n', '1\n']);
  });
});
