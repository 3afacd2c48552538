/** What is served to a program that has confined itself further: no more than its own Landlock domain lets it have. */
import { expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, isRoot } from './calls.js';

const PRELUDE = `
import ctypes, errno, json, os, resource, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def raw(nr, *args):
    result = libc.syscall(nr, *args)
    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]
def tried(path, flags=os.O_RDONLY):
    try: fd = os.open(path, flags)
    except OSError as error: return errno.errorcode[error.errno]
    try: return os.read(fd, 100000).decode('latin1') if flags == os.O_RDONLY and not path.endswith('/') else 'ok'
    except OSError as error: return 'opened, ' + errno.errorcode[error.errno]
    finally: os.close(fd)
def confine(granted):
    rights = 1 << 1 | 1 << 2 | 1 << 3 # WRITE_FILE, READ_FILE, READ_DIR
    ruleset = raw(444, ctypes.byref(ctypes.c_uint64(rights)), 8, 0)
    for path in granted:
        class Rule(ctypes.Structure):
            _pack_ = 1; _fields_ = [('access', ctypes.c_uint64), ('fd', ctypes.c_int32)]
        assert raw(445, ruleset, 1, ctypes.byref(Rule(rights, os.open(path, os.O_PATH))), 0) == 0
    assert raw(446, ruleset, 0) == 0
    os.close(ruleset)
def apart(work):
    r, w = os.pipe()
    if os.fork() == 0:
        os.write(w, json.dumps(work()).encode()); os._exit(0)
    os.close(w); text = b''
    while chunk := os.read(r, 65536): text += chunk
    os.close(r); return json.loads(text)
def sleeper(): return subprocess.Popen(['/usr/bin/sleep', '60'], env={'SECRET': 'canary'})
FILES = ('environ', 'maps', 'mem', 'status', 'stat', 'cmdline', 'fd/', 'task/', 'mounts', 'net/tcp')
def files(pid): return [tried('/proc/%d/%s' % (pid, name)) for name in FILES]
def kinds(pid): return sorted(set(each if each.isupper() and each.startswith('E') else 'read' for each in files(pid)))
other = sleeper()
while tried('/proc/%d/cmdline' % other.pid).split('\\0')[0] != '/usr/bin/sleep': time.sleep(.01)
`;

const everything: SandboxOptions = { fsReadable: ['/'], fsWritable: ['/dev/null', '/proc/self'] };

async function python(program: string, options = everything): Promise<unknown> {
  const { exitCode, stdout, stderr } = await new Sandbox(options).run(
    ['/usr/bin/python3', '-I', '-c', `${PRELUDE}try:\n${program.replace(/^/gm, '  ')}\nfinally: other.kill(); other.wait()`], { timeout: 30_000 });
  expect({ exitCode, stderr: String(stderr) }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(String(stdout));
}

describeConfined('a program that confines itself', () => {
  it('sees nothing of processes outside its domain any more, nor does what it starts, whoever is the parent later', async () => {
    expect(await python(`
def confined():
    before = kinds(other.pid)
    confine(['/'])
    def orphaned():
        r, w = os.pipe()
        middle = os.fork()
        if middle == 0:
            middle = os.getpid()
            if os.fork() == 0:
                while os.getppid() == middle: time.sleep(.01)
                os.write(w, json.dumps(kinds(other.pid)).encode()); os._exit(0)
            os._exit(0)
        os.waitpid(middle, 0)
        return json.loads(os.read(r, 10000))
    return [before, kinds(other.pid), 'canary' in ''.join(files(other.pid)), apart(lambda: kinds(other.pid)), orphaned()]
print(json.dumps([apart(confined), kinds(other.pid), 'canary' in ''.join(files(other.pid))]))`))
      .toEqual([[['read'], ['EACCES'], false, ['EACCES'], ['EACCES']], ['read'], true]);
  }, 60_000);

  it('sees itself and what it has started since, and not what it had started before', async () => {
    expect(await python(`
def confined():
    before = sleeper()
    confine(['/'])
    after = sleeper()
    def deeper():
        confine(['/'])
        return [kinds(os.getpid()), kinds(before.pid), kinds(after.pid), kinds(os.getppid())]
    try: return [kinds(os.getpid()), kinds(before.pid), kinds(after.pid), apart(deeper)]
    finally:
        for each in (before, after): each.kill(); each.wait()
print(json.dumps(apart(confined)))`)).toEqual([['read'], ['EACCES'], ['read'], [['read'], ['EACCES'], ['EACCES'], ['EACCES']]]);
  }, 60_000);

  it('has the rest of /proc for reading, what the sandbox makes up, and nothing to write', async () => {
    expect(await python(`
def looked(): return [len(tried(path)) > 10 for path in ('/proc/version', '/proc/self/status', '/proc/loadavg', '/etc/hosts')] + [
    tried(path, flags) for path, flags in (('/proc/self/comm', os.O_WRONLY), ('/proc/self/oom_score_adj', os.O_RDWR), ('/', os.O_DIRECTORY))]
def confined():
    confine(['/'])
    return looked()
print(json.dumps([looked(), apart(confined)]))`)).toEqual([
      [true, true, true, true, 'ok', 'ok', 'ok'], [true, true, true, true, 'EACCES', 'EACCES', 'EACCES'],
    ]);
  }, 60_000);

  it.skipIf(!isRoot)('has no entries that a divided directory got since the start: its own domain may not grant them [needs root]', async () => {
    expect(await python(`
path = '/sandlock-test-%d' % os.getpid()
with open(path, 'w') as file: file.write('made since')
def confined():
    confine(['/etc'])
    return [tried(path), tried(path, os.O_WRONLY), len(tried('/etc/passwd')) > 10]
try: print(json.dumps([tried(path), tried(path, os.O_WRONLY), apart(confined), tried(path)]))
finally: os.unlink(path)`, { ...everything, fsWritable: ['/'] })).toEqual(['made since', 'ok', ['EACCES', 'EACCES', true], 'made since']);
  }, 60_000);

  it('cannot take the mark off, nor give itself that of another', async () => {
    expect(await python(`
def limits(kind):
    soft, hard = resource.getrlimit(kind)
    ways = [lambda: resource.setrlimit(kind, (soft, hard)), lambda: resource.prlimit(0, kind, (soft, hard)), lambda: resource.prlimit(os.getpid(), kind, (soft, hard)),
      lambda: raw(160 if os.uname().machine == 'x86_64' else 164, kind, ctypes.byref((ctypes.c_uint64 * 2)(soft & 2**64 - 1, hard & 2**64 - 1)))]
    said = []
    for way in ways:
        try: said.append('EPERM' if way() == 'EPERM' else 'ok')
        except (OSError, ValueError) as error: said.append(errno.errorcode[getattr(error, 'errno', None) or 1])
    return said
def confined():
    confine(['/'])
    return [limits(10), kinds(other.pid)]
print(json.dumps([limits(10), limits(7), apart(confined)]))`)).toEqual([
      ['EPERM', 'EPERM', 'EPERM', 'EPERM'], ['ok', 'ok', 'ok', 'ok'], [['EPERM', 'EPERM', 'EPERM', 'EPERM'], ['EACCES']],
    ]);
  }, 60_000);
});
