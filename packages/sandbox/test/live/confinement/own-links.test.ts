/** Files with a view over symbolic links: those that programs make themselves, in whichever way, and those that were there before. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, isRoot, scratch } from './calls.js';

const PRELUDE = `
import ctypes, errno, json, os, sys, threading
def tried(work, *args, **more):
    try: return work(*args, **more)
    except OSError as error: return errno.errorcode[error.errno]
def read(path, flags=os.O_RDONLY, dir_fd=None):
    try: fd = os.open(path, flags, 0o600, dir_fd=dir_fd)
    except OSError as error: return errno.errorcode[error.errno]
    try: return tried(os.read, fd, 4096).decode('latin1')
    finally: os.close(fd)
def link(text, name):
    os.symlink(text, name); return name
`;
const system = ['/usr', '/etc', '/dev', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];
const HOSTS = '127.0.0.1 localhost\n::1 localhost\n';
const NAME = 'seen\n';
const passwd = readFileSync('/etc/passwd', 'latin1').slice(0, 4096);

/** A new folder is the working directory, and may be written. */
async function run(argv: readonly string[], options: SandboxOptions = {}, folder = scratch()): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
  const { fsReadable = [], fsWritable = [], ...rest } = options;
  const box = new Sandbox({ fsReadable: [...system, ...fsReadable], fsWritable: [folder, ...fsWritable], name: 'seen', ...rest });
  const { exitCode, stdout, stderr } = await box.run(argv, { cwd: folder, timeout: 60_000 });
  return { exitCode, stdout: String(stdout), stderr: String(stderr) };
}

async function python(program: string, options: SandboxOptions = {}, folder?: string): Promise<unknown> {
  const { stdout, stderr, exitCode } = await run(['/usr/bin/python3', '-I', '-c', PRELUDE + program], options, folder);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}

async function shell(program: string, options: SandboxOptions = {}, folder?: string): Promise<string> {
  const { stdout, stderr } = await run(['/bin/sh', '-c', program], options, folder);
  return stdout + stderr.replace(/^.*: /gm, '');
}

const made: string[] = [];
afterAll(() => { for (const path of made) rmSync(path, { recursive: true, force: true }); });

describeConfined('a link of the program\'s own to a file with a view', () => {
  it('leads to the view, and to the machine\'s file no more than before', async () => {
    expect(readFileSync('/etc/hostname', 'latin1')).not.toBe(NAME);
    expect(await shell('ln -s /etc/hosts x; cat x')).toBe(HOSTS);
    expect(await shell('ln -s /etc e; cat e/hostname; ln -s e/hostname y; cat y; ln -s y z; cat ./z; cd e; cat hostname')).toBe(NAME.repeat(4));
    expect(await shell('ln -s /usr u; cat u/../etc/hostname; ln -s u/bin b; cat ./b/../../etc/hostname')).toBe(NAME.repeat(2));
    expect(await shell(`mkdir d; ln -s ${'../'.repeat(12)}etc/hostname d/u; cat d/u; mv d/u .; cat u; ln u v; cat v; cp -P v w; cat w; cat < w; read line < w; echo $line`)).toBe(NAME.repeat(6));
    expect(await shell('ln -s /etc/hostname x; cat /etc/passwd > p; ln -s p q; cmp q /etc/passwd && ln -s q r && cmp /etc/passwd r && echo same; echo more > x; tail -n 1 x')).toBe(`same\n${NAME}Permission denied\n`);
  }, 60_000);

  it('is followed as the kernel would follow it, with its errors', async () => {
    expect(await python(`
x = link('/etc/hostname', 'x'); e = link('/etc', 'e'); link('loop', 'loop'); link('/etc/hostname/', 'slash'); link('none', 'nowhere'); long = link('/' * 3000 + 'etc/hostname', 'long')
raw = link(b'/etc/hostname', b'\\xff\\xfe'); os.mkdir('\\xe9'.encode('latin1')); link(b'../\\xff\\xfe', b'\\xe9/y')
libc = ctypes.CDLL(None, use_errno=True)
def openat2(path, resolve=0, fd=-100):
    how = (ctypes.c_uint64 * 3)(0, 0, resolve)
    got = libc.syscall(437, fd, path.encode(), how, 24)
    if got < 0: return errno.errorcode[ctypes.get_errno()]
    try: return os.read(got, 64).decode()
    finally: os.close(got)
def bad(*args): return errno.errorcode[ctypes.get_errno()] if libc.symlinkat(*args) else 'made'
here = os.open('.', os.O_RDONLY)
os.write(os.open('plain', os.O_CREAT | os.O_WRONLY), b'plain'); link('plain', 'p')
print(json.dumps([
  [read(x), read('./x'), read(os.path.abspath(x)), read('../' + os.path.basename(os.getcwd()) + '/x'), read('e/../etc/hostname'), read(long), read(raw), read(b'\\xe9/y'), openat2('x'), read('/proc/self/cwd/x')],
  [read(x, os.O_NOFOLLOW), read(x, os.O_CREAT | os.O_EXCL | os.O_WRONLY), read(x, os.O_DIRECTORY), read(x + '/'), read('loop'), read('slash'), read('nowhere'), read('e/none'), read('x/y'), openat2('x', 4), openat2('x', 8, here)],
  [read(x, os.O_WRONLY), read(x, os.O_RDWR | os.O_CREAT), read('e/passwd', os.O_WRONLY), read('plain'), read('p'), read('e/passwd') == read('/etc/passwd'), read('nowhere', os.O_CREAT | os.O_RDWR), os.listdir('.').count('none')],
  [bad(ctypes.c_void_p(8), -100, b'new'), bad(b'/etc/hosts', -100, ctypes.c_void_p(8)), bad(b'/etc/hosts', 999, b'new'), bad(b'', -100, b'new'), bad(b'/etc/hosts', -100, b'x'), bad(b'x' * 5000, -100, b'new'), bad(b'/etc/hosts', -100, b'/usr/new')],
  os.readlink(x), os.readlink(long) == '/' * 3000 + 'etc/hostname']))`)).toEqual([
      Array<string>(10).fill(NAME),
      ['ELOOP', 'EEXIST', 'ENOTDIR', 'ENOTDIR', 'ELOOP', 'ENOTDIR', 'ENOENT', 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV'],
      ['EACCES', 'EACCES', 'EACCES', 'plain', 'plain', true, '', 1],
      ['EFAULT', 'EFAULT', 'EBADF', 'ENOENT', 'EEXIST', 'ENAMETOOLONG', 'EACCES'],
      '/etc/hostname', true,
    ]);
  }, 60_000);

  it('leads into /proc where that is granted, by opens and by stat(2)', async () => {
    const program = `
p = link('/proc', 'p'); link('p/self', 's'); link('/proc/${process.pid}', 'o'); link('/proc/self/fd', 'f'); link('/proc/cpuinfo', 'c')
own = os.open('/etc/passwd', os.O_RDONLY)
def size(path): return tried(lambda: os.stat(path).st_size)
def listed(path): return tried(lambda: sorted(name for name in os.listdir(path) if name.isdigit()))
print(json.dumps([read('p/sys/kernel/hostname'), read('c') == read('/proc/cpuinfo'), read('s/comm'), read('p/%d/comm' % os.getpid()), read('o/comm'), read('p/${process.pid}/environ'), read('p/kcore') == read('/proc/kcore'),
  size('c') == size('/proc/cpuinfo'), tried(os.lstat, 'c') != 'ENOENT' and os.path.islink('c'), tried(os.stat, 'o'), tried(os.access, 'p/${process.pid}', os.F_OK), listed('p') == [str(os.getpid())], read('f/%d' % own)[:4], read('p/../etc/hostname')]))`;
    expect(await python(program, { fsReadable: ['/proc'] })).toEqual([
      NAME, true, 'python3\n', 'python3\n', 'ENOENT', 'ENOENT', true, true, true, 'ENOENT', false, true, passwd.slice(0, 4), NAME,
    ]);
    expect(await python(`
p = link('/proc', 'p'); link('p/self', 's'); link('/proc/cpuinfo', 'c')
print(json.dumps([read('p/sys/kernel/hostname'), read('c'), read('s/comm'), read('p/1/environ'), tried(os.listdir, 'p'), read('p/../etc/hostname'), read('s/root/etc/hostname')]))`))
      .toEqual([...Array<string>(5).fill('EACCES'), NAME, 'EACCES']);
  }, 60_000);

  it('leads to the devices of the seed and to the processors that are shown', async () => {
    const devices = () => python(`
link('/dev/urandom', 'u'); link('/dev', 'd'); link('/dev/zero', 'z')
print(json.dumps([read('u'), read('d/random'), read('z')]))`, { randomSeed: 7 }) as Promise<string[]>;
    const [first, second] = [await devices(), await devices()];
    expect(second).toEqual(first);
    expect(first.map(({ length }) => length)).toEqual([4096, 4096, 4096]);
    expect([first[0] === first[1], first[2]]).toEqual([false, '\0'.repeat(4096)]);
    expect(await python(`
link('/sys/devices/system/cpu', 'cpu')
print(json.dumps([read('cpu/online'), read('cpu/kernel_max') == read('/sys/devices/system/cpu/kernel_max')]))`, { fsReadable: ['/sys/devices/system'], numCpus: 7 })).toEqual(['0-6\n', true]);
    expect(await python(`
link('/sys/devices/system/cpu', 'cpu')
own = tried(os.listdir, 'cpu')
print(json.dumps([own == os.listdir('/sys/devices/system/cpu'), 'cpu0' in own, 'cpu1' in own, read('cpu/cpu1/uevent'), read('cpu/cpu0/uevent') == read('/sys/devices/system/cpu/cpu0/uevent')]))`, { fsReadable: ['/sys/devices/system'], numCpus: 1 }))
      .toEqual([true, true, false, 'ENOENT', true]);
  }, 60_000);

  it.skipIf(!isRoot)('leads to what is new in a divided directory [needs root]', async () => {
    const path = `/sandlock-test-${process.pid}.over`;
    made.push(path, `${path}.new`);
    expect(await python(`
def write(path, text, flags=os.O_WRONLY | os.O_CREAT):
    fd = os.open(path, flags, 0o640); os.write(fd, text.encode()); os.close(fd); return 'ok'
write('${path}', 'first'); link('${path}', 'x'); link('${path}.new', 'y')
print(json.dumps([read('x'), tried(write, 'x', 'second'), read('${path}'), tried(write, 'y', 'new'), read('y', os.O_NOFOLLOW), read('${path}.new'), tried(write, 'y', 'new', os.O_CREAT | os.O_EXCL | os.O_WRONLY)]))`, { fsWritable: ['/'] }))
      .toEqual(['first', 'ok', 'second', 'ok', 'ELOOP', 'new', 'EEXIST']);
    expect(await python(`
link('${path}', 'x'); print(json.dumps([read('x'), read('x', os.O_WRONLY), read('${path}')]))`, { fsReadable: ['/'] })).toEqual(['second', 'EACCES', 'second']);
  }, 60_000);

  it('is never the machine\'s file while links change places', async () => {
    const seen = await python(`
link('/etc/passwd', 'a'); link('/etc/hostname', 'b'); link('a', 'x')
done = threading.Event()
def flip():
    while not done.is_set():
        for end in ('a', 'b'):
            os.symlink(os.readlink(end), 't'); os.rename('t', 'x')
thread = threading.Thread(target=flip); thread.start()
seen = {read('x') for _ in range(4000)}
done.set(); thread.join()
print(json.dumps(sorted(seen)))`) as string[];
    expect(seen.filter((each) => each !== 'EACCES')).toEqual([passwd, NAME].sort());
    expect(seen).not.toContain(readFileSync('/etc/hostname', 'latin1'));
  }, 60_000);

  it('may come out of a repository or an archive', async () => {
    const source = mkdtempSync(join(tmpdir(), 'sandlock-links-'));
    made.push(source);
    mkdirSync(join(source, 'tree/sub'), { recursive: true });
    const links = { hosts: '/etc/hosts', 'sub/up': `${'../'.repeat(12)}etc/hostname`, etc: '/etc', near: 'plain' };
    for (const [name, text] of Object.entries(links)) symlinkSync(text, join(source, 'tree', name));
    writeFileSync(join(source, 'tree/plain'), 'plain\n');
    const tool = (command: string, ...args: string[]) => expect([command, spawnSync(command, args, { cwd: source, stdio: 'pipe' }).status]).toEqual([command, 0]);
    tool('tar', 'cf', 'tree.tar', 'tree');
    tool('git', 'init', '-q', 'tree');
    tool('git', '-C', 'tree', 'add', '.');
    tool('git', '-C', 'tree', '-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', 'commit', '-qm', 'links');
    const look = 'cat tree/hosts tree/sub/up tree/etc/hostname tree/near';
    const granted = { fsReadable: [source], fsWritable: ['/dev/null'] };
    const shown = `${HOSTS}${NAME}${NAME}plain\n`;
    expect(await shell(`tar xf ${source}/tree.tar && ${look}`, granted)).toBe(shown);
    expect(await shell(`HOME=$PWD git clone -q ${source}/tree tree && ${look}`, granted)).toBe(shown);
    expect(await shell(`HOME=$PWD git clone -q -n ${source}/tree tree && cd tree && HOME=$PWD git checkout -q HEAD -- hosts sub && cat hosts sub/up`, granted)).toBe(HOSTS + NAME);
    expect(await shell(`cp -R ${source}/tree . && ${look}`, granted)).toBe(shown);
  }, 120_000);
});

describeConfined('other links', () => {
  it('lead to no view as long as the program has made none that could', async () => {
    const folder = scratch();
    symlinkSync('/etc/hosts', join(folder, 'before'));
    const program = "before = read('before'); MADE; print(json.dumps([before, read('before')]))";
    expect(await python(program.replace('MADE', "link('plain', 'x'); link('../lib/bin/x.js', 'y')"), {}, folder)).toEqual(['EACCES', 'EACCES']);
    expect(await python(program.replace('MADE', "link('/etc', 'e')"), {}, folder)).toEqual(['EACCES', HOSTS]);
    // Nobody looks at a path that starts at an ordinary directory's descriptor.
    expect(await python("here = os.open('.', os.O_RDONLY); print(json.dumps([read('e/hostname', dir_fd=here), read('e/hostname')]))", {}, folder)).toEqual(['EACCES', 'EACCES']);
    expect(await python("link('/etc', 'f'); here = os.open('.', os.O_RDONLY); print(json.dumps([read('e/hostname', dir_fd=here), read('e/hostname')]))", {}, folder)).toEqual(['EACCES', NAME]);
  }, 60_000);

  it('of the kinds that package managers make by the thousands enter no JavaScript and cost no look', async () => {
    const folder = scratch();
    symlinkSync('/etc/hosts', join(folder, 'before'));
    for (const grants of [{ fsReadable: ['/proc'] }, ...(isRoot ? [{ fsReadable: ['/'] }] : [])]) {
      for (const name of ['.pnpm', '.bin']) mkdirSync(join(folder, 'node_modules', name), { recursive: true });
      const box = new Sandbox({ ...grants, fsReadable: [...system, ...grants.fsReadable], fsWritable: [folder] });
      const one = await box.spawn(['/usr/bin/python3', '-I', '-c', `
import os
os.chdir('node_modules'); store = os.open('.pnpm', os.O_RDONLY)
for n in range(300):
    for path in ('.pnpm/p%d@1.0.0' % n, '.pnpm/p%d@1.0.0/node_modules' % n): os.mkdir(path)
    os.symlink('.pnpm/p%d@1.0.0/node_modules/p%d' % (n, n), 'p%d' % n)
    os.symlink('../../p%d@1.0.0/node_modules/p%d' % (n + 1, n + 1), '.pnpm/p%d@1.0.0/node_modules/p%d' % (n, n + 1))
    os.symlink('../p%d/bin/cli.js' % n, '.bin/p%d' % n)
    os.symlink('../node_modules/.pnpm/p%d@1.0.0/node_modules/p%d' % (n, n), 'q%d' % n, dir_fd=store)
try: open('../before')
except PermissionError: os.mkdir('../refused') # so paths are not looked up
`], { cwd: folder });
      expect((await one.wait()).exitCode).toBe(0);
      const stats = one.stats()!;
      const { symlink = 0, symlinkat = 0 } = stats.syscalls;
      expect(symlink + symlinkat).toBe(1200);
      expect(readdirSync(join(folder, 'node_modules')).filter((name) => /^p\d/.test(name)).length).toBe(300);
      expect(stats.notifications - stats.screened).toBeLessThan(100); // of the start of Python
      expect((stats.answeredBy.views ?? 0)).toBeLessThan(100);
      expect(readdirSync(folder).sort()).toEqual(['before', 'node_modules', 'refused']);
      for (const name of ['node_modules', 'refused']) rmSync(join(folder, name), { recursive: true });
    }
  }, 60_000);
});
