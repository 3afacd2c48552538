/** What a program gets to see of /proc: its sandbox, by every way there; and of others nothing, by none. */
import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, isRoot, scratch } from './calls.js';

const system = ['/usr', '/etc', '/dev', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];
const grants: [string, SandboxOptions][] = [
  ['/proc is granted', { fsReadable: [...system, '/proc'], fsWritable: ['/dev/null'] }],
  ['everything is granted', { fsReadable: ['/'], fsWritable: ['/dev/null'] }],
];

const PRELUDE = `
import ctypes, errno, json, os, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def kind(error): return errno.errorcode[error.errno]
def read(path, dir_fd=None, whole=True):
    try: fd = os.open(path, os.O_RDONLY, dir_fd=dir_fd)
    except OSError as error: return kind(error)
    try: return os.read(fd, 100000).decode('latin1') if whole else 'read ' + str(len(os.read(fd, 40)))
    except OSError as error: return 'opened, ' + kind(error)
    finally: os.close(fd)
def peek(path, dir_fd=None): return read(path, dir_fd, False)
pid, supervisor = os.getpid(), int(sys.argv[1])
tid = threading.get_native_id()
`;

async function python(options: SandboxOptions, program: string, ...args: string[]): Promise<unknown> {
  const box = new Sandbox({ ...options, fsReadable: [...options.fsReadable!, ...args] });
  const { exitCode, stdout, stderr } = await box.run(['/usr/bin/python3', '-I', '-c', PRELUDE + program, String(process.pid), ...args], { timeout: 30_000 });
  expect({ exitCode, stderr: String(stderr) }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(String(stdout));
}

/** Links that lead where they should not, and the names to try beside them. */
function links(): string {
  const folder = scratch();
  symlinkSync('/proc/kallsyms', join(folder, 'kallsyms'));
  symlinkSync(`/proc/${process.pid}`, join(folder, 'supervisor'));
  symlinkSync('/proc', join(folder, 'proc'));
  mkdirSync(join(folder, 'deep'));
  symlinkSync('../proc/self/root', join(folder, 'deep/root'));
  return folder;
}

/** Each starts several programs, on a machine that may be busy. */
const TIME = 60_000;

for (const [title, options] of grants) {
  describeConfined(`/proc, where ${title}`, () => {
    it('keeps the kernel\'s memory, keys and log back by every spelling', async () => {
      const answers = await python(options, `
proc, fds = os.open('/proc', os.O_RDONLY), os.open('/dev/fd', os.O_RDONLY)
place, folder = os.open('/proc', os.O_PATH), sys.argv[2]
low = 9
try: os.dup2(os.open('/proc/self', os.O_RDONLY), low)
except OSError: low = -1
result = {}
for name in ('kallsyms', 'keys', 'key-users', 'kmsg'):
    ways = ['/proc/' + name, '/proc/./' + name, '/proc/../proc/' + name, '//proc//' + name, '/proc/self/../' + name, '/proc/self/root/proc/' + name,
      '/dev/fd/../../' + name, '/proc/self/task/%d/root/proc/%s' % (tid, name), folder + '/proc/' + name, folder + '/deep/root/proc/' + name]
    got = [peek(way) for way in ways] + [peek(name, proc), peek(name, place), peek('../../' + name, fds), peek('../' + name, low)]
    os.chdir('/'); got.append(peek('/proc/self/cwd/proc/' + name)); os.chdir('/proc'); got += [peek(name), peek('self/../' + name)]
    result[name] = sorted(set(got))
result['link'] = peek(folder + '/kallsyms')
print(json.dumps([result, len(read('/proc/version')) > 10, len(read('version', proc)) > 10]))`, links());
      const refused = ['EACCES'];
      expect(answers).toEqual([{ kallsyms: refused, keys: refused, 'key-users': refused, kmsg: refused, link: 'EACCES' }, true, true]);
    }, TIME);

    it('has no other process in it, by whatever way one goes there', async () => {
      const answers = await python(options, `
folder = sys.argv[2]
proc, root, fds, place, own = (os.open(path, flags) for path, flags in (
  ('/proc', os.O_RDONLY), ('/', os.O_PATH), ('/dev/fd', os.O_RDONLY), ('/proc', os.O_PATH), ('/proc/self', os.O_RDONLY)))
os.dup2(own, 9); os.dup2(root, 10)
got = set()
for name in ('cmdline', 'environ', 'status', 'maps', 'fd/0', 'root/etc/passwd', 'cwd/package.json', 'exe', 'task/%d/environ' % supervisor):
    rest = '%d/%s' % (supervisor, name)
    for way in ['/proc/' + rest, '/proc/./' + rest, '//proc/' + rest, '/proc/../proc/' + rest, '/proc/self/../' + rest, '/proc/self/root/proc/' + rest,
        '/dev/fd/../../' + rest, '/proc/self/task/%d/root/proc/%s' % (tid, rest), '/proc/thread-self/root/proc/' + rest, folder + '/proc/' + rest,
        folder + '/supervisor/' + name, folder + '/deep/root/proc/' + rest, '/proc/self/task/%d/../../../%s' % (tid, rest)]:
        got.add(peek(way))
    for fd, way in ((proc, rest), (place, rest), (root, 'proc/' + rest), (10, 'proc/' + rest), (fds, '../../' + rest), (own, '../' + rest), (9, '../' + rest)):
        got.add(peek(way, fd))
    os.chdir('/'); got.add(peek('/proc/self/cwd/proc/' + rest)); os.chdir('/proc'); got.add(peek(rest)); os.chdir('/proc/self/fd'); got.add(peek('../../' + rest))
    os.chdir('/')
listed = [n for n in os.listdir('/proc') if n.isdigit()]
print(json.dumps([sorted(got), sorted(listed) == sorted([str(pid)]), os.path.exists('/proc/%d' % supervisor), os.path.exists('/proc/%d' % pid)]))`, links());
      expect(answers).toEqual([['EACCES', 'ENOENT'], true, false, true]);
    }, TIME);

    it('cannot be raced: a path that changes while it is looked at leads nowhere else', async () => {
      expect(await python(options, `
own, other = b'/proc/%d/environ' % pid, b'/proc/%d/environ' % supervisor
length = max(len(own), len(other)) + 1
buffer = ctypes.create_string_buffer(own, length)
kept = (ctypes.c_char * length).from_buffer_copy(own.ljust(length, b'\\0')), (ctypes.c_char * length).from_buffer_copy(other.ljust(length, b'\\0'))
stop = False
def flip():
    while not stop:
        for each in kept: ctypes.memmove(buffer, each, length)
thread = threading.Thread(target=flip); thread.start()
seen, began, n = {}, time.monotonic(), 0
mine = read(own)
while time.monotonic() - began < 2:
    fd = libc.open(buffer, 0)
    if fd < 0: what = errno.errorcode[ctypes.get_errno()]
    else:
        text = os.read(fd, 100000).decode('latin1'); os.close(fd)
        what = 'own' if text == mine else 'FOREIGN'
    seen[what] = seen.get(what, 0) + 1
stop = True; thread.join()
print(json.dumps(['own' in seen, 'FOREIGN' in seen, sum(seen.values()) > 100]))`)).toEqual([true, false, true]);
    }, TIME);

    it('has the program itself, its children and its threads', async () => {
      const answers = await python(options, `
import subprocess
go, other = os.pipe(), os.pipe()
child = os.fork()
if child == 0: os.read(go[0], 1); os._exit(0)
checks = {
  'status': 'Name:\\tpython3' in read('/proc/self/status'), 'environ': 'PATH=' in read('/proc/self/environ'), 'maps': 'python' in read('/proc/self/maps'),
  'thread': read('/proc/thread-self/comm') == 'python3\\n', 'task': os.listdir('/proc/self/task') == [str(pid)],
  'exe': os.readlink('/proc/self/exe').startswith('/usr/bin/python3') and read('/proc/self/exe')[:4] == '\\x7fELF',
  'child': 'PPid:\\t%d' % pid in read('/proc/%d/status' % child) and read('/proc/%d/cmdline' % child).startswith('/usr/bin/python3'),
  'listing': sorted(int(n) for n in os.listdir('/proc') if n.isdigit()) == sorted([pid, child]) and 'cpuinfo' in os.listdir('/proc'),
  'descriptors': {'0', '1', '2', str(go[0])} <= set(os.listdir('/proc/self/fd')) and {'0', str(go[1])} <= set(os.listdir('/dev/fd')),
  'mtab': read('/etc/mtab') == read('/proc/mounts') == read('/proc/self/mounts') and '/' in read('/proc/mounts'),
  'hosts': read('/etc/hosts') == '127.0.0.1 localhost\\n::1 localhost\\n',
  'opened again': 'Name:\\tpython3' in read('/dev/fd/%d' % os.open('/proc/self/status', os.O_RDONLY)),
  'a pipe': (os.write(other[1], b'x'), os.read(os.open('/proc/self/fd/%d' % other[0], os.O_RDONLY), 1))[1] == b'x',
}
os.write(go[1], b'x'); os.waitpid(child, 0)
shell = lambda text: subprocess.run(['bash', '-c', text], stdin=subprocess.DEVNULL, capture_output=True, text=True)
checks['shell'] = [(r.stdout, r.stderr) for r in map(shell, (
  'cat <(echo substituted)', 'echo piped | cat /dev/stdin', 'cat /proc/self/comm; cat < /proc/self/comm', 'exec 5</proc/self/comm; read -u 5 x; echo $x', 'echo out > /dev/stderr'))]
print(json.dumps(checks))`);
      const { shell, ...checks } = answers as { shell: unknown };
      expect(Object.entries(checks).filter(([, holds]) => holds !== true)).toEqual([]);
      expect(shell).toEqual([['substituted\n', ''], ['piped\n', ''], ['cat\ncat\n', ''], ['bash\n', ''], ['', 'out\n']]);
    }, TIME);

    it('is what ps, pgrep and find see', async () => {
      const box = new Sandbox(options);
      const ps = await box.run(['/bin/bash', '-c', 'sleep 20 & ps -eo comm=; pgrep sleep >/dev/null && echo found; find /proc -maxdepth 1 -name "[0-9]*" | wc -l; kill %1'], { timeout: 20_000 });
      expect(ps.text().split('\n').map((each) => each.trim())).toEqual(['bash', 'sleep', 'ps', 'found', '4']);
    }, TIME);
  });
}

describeConfined('/proc that is not granted', () => {
  it('is refused, views included, and descriptors can still be opened again', async () => {
    expect(await python({ fsReadable: system }, `
print(json.dumps([read(p) for p in ('/proc/self/status', '/proc/version', '/proc/cpuinfo', '/proc/mounts', '/proc/%d/environ' % supervisor, '/proc', '/etc/mtab')]
  + [read('/dev/fd/%d' % os.open('/etc/hosts', os.O_RDONLY)) == read('/etc/hosts')]))`)).toEqual([...Array<string>(7).fill('EACCES'), true]);
    expect((await new Sandbox({ fsReadable: system }).run(['bash', '-c', 'cat <(echo substituted) /dev/stdin'], { input: 'piped' })).text()).toBe('substituted\npiped');
  }, TIME);

  it('is served as far as it is granted', async () => {
    expect(await python({ fsReadable: [...system, '/proc/self', '/proc/version'] }, `
print(json.dumps([len(read(p)) > 10 for p in ('/proc/self/status', '/proc/%d/status' % pid, '/proc/version', '/proc/thread-self/stat')]
  + [read(p) for p in ('/proc/cpuinfo', '/proc/stat', '/proc/1/status', '/proc')]))`)).toEqual([true, true, true, true, 'EACCES', 'EACCES', 'ENOENT', 'EACCES']);
  }, TIME);

  it('gives neither the machine\'s network nor its firmware of /sys', async () => {
    expect(await python({ fsReadable: [...system, '/sys'] }, `
def listed(path):
    try: return len(os.listdir(path)) > 0
    except OSError as error: return kind(error)
print(json.dumps([listed(p) for p in ('/sys/class/net', '/sys/firmware', '/sys/kernel/security', '/sys/class/../class/net', '/sys/devices/system/cpu', '/sys')]))`))
      .toEqual(['EACCES', 'EACCES', 'EACCES', 'EACCES', true, true]);
  }, TIME);
});

describeConfined('a way to /proc through a directory that the program may not search', () => {
  it.skipIf(!isRoot)('tells nothing of what is in there [needs root]', async () => {
    const folder = scratch();
    chmodSync(folder, 0o755);
    for (const each of ['closed', 'open']) {
      mkdirSync(join(folder, each, 'there'), { recursive: true });
      symlinkSync('/proc/version', join(folder, each, 'link'));
      chownSync(join(folder, each), 65534, 65534); // nobody's: root without capabilities is one of the others
      chmodSync(join(folder, each), each === 'open' ? 0o755 : 0o700);
    }
    expect(await python({ fsReadable: [...system, '/proc'] }, `
up = '/..' * (sys.argv[2].count('/') + 2)
def stat(path):
    try: os.stat(path)
    except OSError as error: return kind(error)
    return 'ok'
print(json.dumps([[peek(p), stat(p)] for each in ('closed', 'open') for p in [sys.argv[2] + '/' + each + rest for rest in ('/there' + up + '/proc/version', '/not' + up + '/proc/version', '/link')]]))
`, folder)).toEqual([...Array<string[]>(3).fill(['EACCES', 'EACCES']), ['read 40', 'ok'], ['ENOENT', 'ENOENT'], ['EACCES', 'ok']]); // a link of its own is for the kernel to refuse
  }, TIME);
});
