"""Opens of every kind in the directory it is given. Prints what each came to: run with and without a supervisor, the same."""
import ctypes, errno, fcntl, os, signal, stat, struct, sys, threading, time

signal.alarm(60)
os.chdir(sys.argv[1])
os.umask(0o027)
libc = ctypes.CDLL(None, use_errno=True)
CWD = -100
NR_OPEN, NR_CREAT, NR_OPENAT, NR_OPENAT2 = 2, 85, 257, 437
X86 = os.uname().machine == 'x86_64'
if not X86: NR_OPENAT = 56
P, NF, D, C, E, T, X = os.O_PATH, os.O_NOFOLLOW, os.O_DIRECTORY, os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_CLOEXEC
R, W, RW, NB, AP, TMP = os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_NONBLOCK, os.O_APPEND, os.O_TMPFILE
NO_XDEV, NO_MAGIC, NO_LINKS, BENEATH, IN_ROOT, CACHED = 1, 2, 4, 8, 16, 32
NAMES = {errno.errorcode[n]: n for n in errno.errorcode}
count = 0

def raw(nr, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(nr), *args)
    return -ctypes.get_errno() if result == -1 else result

def describe(fd):
    st = os.fstat(fd)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL) & ~(NF | 0o100000)
    kind = stat.S_IFMT(st.st_mode) >> 12
    link = '' if kind == 2 else os.path.basename(os.readlink('/proc/self/fd/%d' % fd).replace(' (deleted)', ''))
    if link.startswith('#'): link = '#'
    if link.startswith('pipe:'): link = 'pipe'
    size = st.st_size if kind == 8 else '-'
    mine = st.st_uid == os.getuid()
    content = ''
    if kind == 8 and flags & 3 != W and not flags & P and not link.isdigit():
        content = os.pread(fd, 40, 0) if st.st_size else b''
    return 'kind %o mode %04o flags %o cloexec %d size %s mine %s %s %r' % (
        kind, stat.S_IMODE(st.st_mode), flags, fcntl.fcntl(fd, fcntl.F_GETFD), size, mine, link, content)

def show(label, result):
    global count
    count += 1
    if result < 0:
        print('%02d %s: %s' % (count, label, errno.errorcode[-result]))
    else:
        print('%02d %s: %s' % (count, label, describe(result)))
        os.close(result)
    sys.stdout.flush()

def name(path): return ctypes.c_char_p(path if isinstance(path, bytes) else path.encode())
def at(label, path, flags, mode=0, dirfd=CWD): show(label, raw(NR_OPENAT, ctypes.c_int(dirfd), name(path), ctypes.c_int(flags), ctypes.c_uint(mode)))
def two(label, path, flags, mode=0, resolve=0, dirfd=CWD, size=24, extra=b''):
    how = struct.pack('QQQ', flags, mode, resolve) + extra
    show(label, raw(NR_OPENAT2, ctypes.c_int(dirfd), name(path), ctypes.c_char_p(how), ctypes.c_size_t(size)))

# What is there to open
with open('file', 'w') as f: f.write('content')
os.mkdir('dir'); os.mkdir('dir/sub'); os.mkdir('locked')
with open('dir/inner', 'w') as f: f.write('inner')
with open('locked/inside', 'w') as f: f.write('x')
with open('unreadable', 'w') as f: f.write('x')
with open('readonly', 'w') as f: f.write('r')
with open(b'latin-\xe9\xff', 'w') as f: f.write('bytes')
os.chmod('unreadable', 0); os.chmod('readonly', 0o444)
os.symlink('file', 'link'); os.symlink('link', 'link2'); os.symlink('dir', 'dirlink'); os.symlink('nowhere', 'dangling')
os.symlink('loop', 'loop'); os.symlink(os.path.abspath('dir/inner'), 'absolute'); os.symlink('../file', 'dir/up')
os.symlink('dir/', 'slashlink'); os.symlink('/proc/self/fd', 'fds'); os.symlink('missing/deep', 'deep')
os.mkfifo('fifo')
import socket
s = socket.socket(socket.AF_UNIX); s.bind('socket')
d = os.open('dir', R | D)

at('plain', 'file', R)
at('close on exec', 'file', R | X)
at('read and write', 'file', RW)
at('append', 'file', W | AP)
at('nonblocking stays', 'file', R | NB)
at('missing', 'none', R)
at('missing directory', 'none/file', R)
at('through a file', 'file/x', R)
at('file with slash', 'file/', R)
at('file and dot', 'file/.', R)
at('directory', 'dir', R)
at('directory with slash', 'dir/', R | D)
at('directory to write', 'dir', W)
at('directory asked, file', 'file', R | D)
at('empty', '', R)
at('dots', './dir/../dir/./inner', R)
at('long component', 'x' * 256, R)
at('link', 'link2', R)
at('link, not followed', 'link', R | NF)
at('link with slash', 'link/', R)
at('link to directory with slash, not followed', 'dirlink/', R | NF)
at('link to directory, directory, not followed', 'dirlink', R | D | NF)
at('through a link', 'dirlink/inner', R)
at('link that ends in a slash', 'slashlink', R)
at('dangling', 'dangling', R)
at('loop', 'loop', R)
at('absolute link', 'absolute', R)
at('up and out', 'inner', R, dirfd=d)
at('up through a link', 'up', R, dirfd=d)
at('bad descriptor', 'inner', R, dirfd=77)
at('bad descriptor, absolute', '/dev/null', RW, dirfd=77)
f = os.open('file', R)
at('descriptor of a file', 'x', R, dirfd=f)
at('bytes', b'latin-\xe9\xff', R)
at('no bytes', b'latin-\xe9', R)
at('place', 'file', P)
at('place of a link', 'link', P | NF)
at('place of a directory, not followed', 'dir', P | NF | D)
at('place with flags that do not count', 'file', P | W | C | T, 0o777)
at('place of a file, directory asked', 'file', P | D)
at('made', 'new1', W | C, 0o666)
at('made, all bits', 'new2', RW | C | X, 0o7777)
at('made, reading', 'new3', R | C, 0o600)
at('made, exclusively', 'new4', W | C | E, 0o640)
at('exclusively, there', 'new4', W | C | E, 0o640)
at('exclusively, link', 'dangling', W | C | E, 0o640)
at('made where a link points', 'dangling', W | C, 0o640)
at('made where a link points is a directory that is missing', 'deep', W | C, 0o640)
at('made, not followed', 'loop', W | C | NF, 0o640)
at('made with slash', 'new5/', W | C, 0o640)
at('made over a directory', 'dir', R | C, 0o640)
at('made over dot', 'dir/.', R | C, 0o640)
at('made exclusively over dot', 'dir/..', R | C | E, 0o640)
at('made over a file with slash', 'file/', W | C, 0o640)
at('made in a directory that is missing', 'none/x', W | C, 0o640)
at('made and directory', 'newdir', R | C | D, 0o640)
at('made by descriptor', 'made', W | C, 0o604, dirfd=d)
at('cut', 'new1', W | T)
with open('file', 'w') as g: g.write('content')
at('cut though there', 'file', RW | C | T, 0o600)
with open('file', 'w') as g: g.write('content')
at('cut by reading', 'file', R | T)
at('temporary', '.', RW | TMP, 0o666)
at('temporary, exclusive', 'dirlink', W | TMP | E, 0o600)
at('temporary, reading', '.', R | TMP, 0o600)
at('temporary in a file', 'file', RW | TMP, 0o600)
at('unreadable', 'unreadable', R)
at('read-only to write', 'readonly', W)
at('read-only to cut', 'readonly', R | T)
os.chmod('locked', 0)
at('locked directory', 'locked/inside', R)
at('locked directory, list', 'locked', R | D)
at('locked directory, make', 'locked/new', W | C, 0o600)
os.chmod('locked', 0o700)
at('not ours', '/etc/shadow', R)
at('not ours to write', '/etc/passwd', W)
at('not ours to make', '/etc/sandlock-none', W | C, 0o600)
at('socket', 'socket', R)
at('socket as a place', 'socket', P)
at('device', '/dev/null', RW)
at('device that is missing', '/dev/none', R)
at('no terminal', '/dev/tty', RW)
at('fifo, not blocking', 'fifo', R | NB)
at('fifo to write, nobody reads', 'fifo', W | NB)
at('fifo both', 'fifo', RW)
at('own status', '/proc/self/comm', R)
at('own status by thread', '/proc/thread-self/comm', R)
at('own directory', '/proc/self/task', R | D)
at('own link', '/proc/self', P | NF)
at('own program', '/proc/self/exe', R)
at('own directory by link', '/proc/self/cwd/file', R)
at('own root by link', '/proc/self/root/dev/null', R)
at('own descriptor', 'fds/%d' % f, R)
at('own descriptor, deeper', '/dev/fd/%d/inner' % d, R)
at('other descriptor', '/dev/fd/99', R)
r, w = os.pipe()
at('own pipe', '/proc/self/fd/%d' % r, R)
at('own pipe to write', '/dev/fd/%d' % w, W)
os.rename('dir', 'moved')
at('renamed directory', 'inner', R, dirfd=d)
os.mkdir('gone'); g = os.open('gone', R | D); os.rmdir('gone')
at('deleted directory, make', 'x', W | C, 0o600, dirfd=g)
at('deleted directory', '.', R | D, dirfd=g)
os.rename('moved', 'dir')
two('two', 'file', R)
two('two, unknown flag', 'file', 0x40000000)
two('two, mode without making', 'file', R, 0o600)
two('two, place and writing', 'file', P | W)
two('two, unknown limit', 'file', R, 0, 0x80)
two('two, small', 'file', R, size=16)
two('two, larger, zero', 'file', R, size=32, extra=bytes(8))
two('two, larger, not zero', 'file', R, size=32, extra=b'\1' + bytes(7))
two('two, made', 'two', RW | C, 0o666)
two('no links', 'dirlink/inner', R, 0, NO_LINKS)
two('no links, none', 'dir/inner', R, 0, NO_LINKS)
two('no links, place of one', 'link', P | NF, 0, NO_LINKS)
two('no magic', '/proc/self/exe', R, 0, NO_MAGIC)
two('no magic, plain links', 'link2', R, 0, NO_MAGIC)
two('beneath', 'sub/../inner', R, 0, BENEATH, dirfd=d)
two('beneath, above', 'sub/../../file', R, 0, BENEATH, dirfd=d)
two('beneath, link above', 'up', R, 0, BENEATH, dirfd=d)
two('beneath, absolute', '/etc/passwd', R, 0, BENEATH, dirfd=d)
two('beneath, made', 'beneath', W | C, 0o600, BENEATH, dirfd=d)
two('in root', '/inner', R, 0, IN_ROOT, dirfd=d)
two('in root, above', '../../inner', R, 0, IN_ROOT, dirfd=d)
two('in root, link above', 'up', R, 0, IN_ROOT, dirfd=d)
two('in root, made', '/../rooted', W | C, 0o600, IN_ROOT, dirfd=d)
two('one device', 'dir/inner', R, 0, NO_XDEV)
two('one device, another', '/dev/null', R, 0, NO_XDEV)
two('one device, proc', 'proc/version', R, 0, NO_XDEV, dirfd=os.open('/', P))
two('cached and made', 'cached', W | C, 0o600, CACHED)
if X86:
    show('open', raw(NR_OPEN, name('file'), R, 0))
    show('open, made', raw(NR_OPEN, name('by-open'), W | C, 0o666))
    show('creat', raw(NR_CREAT, name('by-creat'), 0o666))
    show('creat, directory', raw(NR_CREAT, name('dir'), 0o666))
    show('open, bad pointer', raw(NR_OPEN, ctypes.c_void_p(8), R, 0))

# What is somebody else's in a directory that everybody may write to. proc_sys_fs(5), protected_symlinks and its like
if os.getuid() == 0:
    os.mkdir('sticky'); os.chmod('sticky', 0o1777)
    os.symlink('../file', 'sticky/link'); os.lchown('sticky/link', 4242, 4242)
    os.symlink('../dir', 'sticky/way'); os.lchown('sticky/way', 4242, 4242)
    os.mkfifo('sticky/fifo'); os.chown('sticky/fifo', 4242, 4242)
    for path in ('sticky/theirs', 'sticky/ours'):
        with open(path, 'w') as g: g.write('x')
    os.chown('sticky/theirs', 4242, 4242); os.chmod('sticky/theirs', 0o666)
    at('link of another', 'sticky/link', R)
    at('through a link of another', 'sticky/way/inner', R)
    at('made over a file of another', 'sticky/theirs', RW | C, 0o600)
    at('file of another', 'sticky/theirs', RW)
    at('made over an own file', 'sticky/ours', RW | C, 0o600)
    at('made over a fifo of another', 'sticky/fifo', RW | C, 0o600)

# FIFOs that wait for the other side
def later(f):
    thread = threading.Thread(target=f); thread.start(); return thread
def reader():
    fd = os.open('fifo', R); log.append(os.read(fd, 9)); os.close(fd)
log = []
t = later(reader); time.sleep(.05)
w2 = os.open('fifo', W); log.append(fcntl.fcntl(w2, fcntl.F_GETFL) & NB); os.write(w2, b'late'); os.close(w2); t.join()
began = time.monotonic()
t = later(lambda: time.sleep(.05) or reader())
w2 = os.open('fifo', W); log.append(time.monotonic() - began > .04); os.write(w2, b'again'); os.close(w2); t.join()
# Each waits for the other to come before it goes on
os.mkfifo('there'); os.mkfifo('back')
def partner():
    a = os.open('there', R); b = os.open('back', W); os.write(b, os.read(a, 9)); os.close(a); os.close(b)
t = later(partner)
a = os.open('there', W); b = os.open('back', R); os.write(a, b'echo'); log.append(os.read(b, 9)); t.join()
# A writer that came and went
t = later(reader); time.sleep(.05); os.close(os.open('fifo', W)); t.join()
print('fifos', log)
# A lease is waited for, and its holder asked
with open('leased', 'w') as g: g.write('x')
asked = []
lease = os.open('leased', R)
signal.signal(signal.SIGIO, lambda *_: (asked.append(1), fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)))
os.close(w); os.close(r)
fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_RDLCK)
pid = os.fork()
if pid == 0:
    signal.alarm(20); os.close(lease); fd = os.open('leased', W); os.write(fd, b'yz'); os._exit(0)
print('lease', os.waitpid(pid, 0)[1], asked, os.pread(lease, 9, 0))
print(sorted(os.listdir('.')), sorted(os.listdir('dir')))
