/** Files outside of /proc that views stand in for, by every way there; and what is new beside them. */
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, isRoot, scratch } from './calls.js';

const PRELUDE = `
import errno, json, os, sys, time
def tried(work, *args, **more):
    try: return work(*args, **more)
    except OSError as error: return errno.errorcode[error.errno]
def read(path, dir_fd=None, flags=os.O_RDONLY):
    try: fd = os.open(path, flags, dir_fd=dir_fd)
    except OSError as error: return errno.errorcode[error.errno]
    try: return os.read(fd, 64).hex()
    finally: os.close(fd)
def write(path, text, flags=os.O_WRONLY | os.O_CREAT):
    def work():
        fd = os.open(path, flags, 0o640)
        os.write(fd, text.encode()); os.close(fd); return 'ok'
    return tried(work)
def low(path, fd=9): # a directory by a number that nobody watches
    os.dup2(os.open(path, os.O_RDONLY | os.O_DIRECTORY), fd); return fd
folder = sys.argv[1]
`;
const system = ['/usr', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];

/** Links to these files, and to directories with them. */
function links(paths: Readonly<Record<string, string>>): string {
  const folder = scratch();
  for (const [name, path] of Object.entries(paths)) symlinkSync(path, join(folder, name));
  return folder;
}

async function python(options: SandboxOptions, folder: string, program: string): Promise<unknown> {
  const { fsReadable = [], ...rest } = options;
  const box = new Sandbox({ fsReadable: [...system, folder, ...fsReadable], ...rest });
  const { exitCode, stdout, stderr } = await box.run(['/usr/bin/python3', '-I', '-c', PRELUDE + program, folder], { timeout: 30_000 });
  expect({ exitCode, stderr: String(stderr) }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(String(stdout));
}

const made: string[] = [];
afterAll(() => { for (const path of made) rmSync(path, { recursive: true, force: true }); });

describeConfined('a file that a view stands in for', () => {
  it('is the machine\'s by no way: its name, a link, a directory\'s descriptor', async () => {
    const folder = links({ hostname: '/etc/hostname', hosts: '/etc/hosts', etc: '/etc', passwd: '/etc/passwd' });
    for (const fsReadable of [['/etc'], ['/'], ['/etc', '/etc/hosts', '/etc/hostname']]) {
      const answers = await python({ fsReadable, name: 'seen' }, folder, `
answers = {}
for name in ('hostname', 'hosts', 'passwd'):
    named = [read('/etc/' + name), read('/etc/../etc/' + name), read(name, os.open('/etc', os.O_RDONLY)), read(name, os.open('/etc', os.O_PATH))]
    os.chdir('/etc'); named.append(read(name)); os.chdir('/')
    answers[name] = [sorted(set(named)), [read(name, low('/etc')), read('../etc/' + name, low('/etc')), read(folder + '/' + name), read(folder + '/etc/' + name)]]
print(json.dumps(answers))`);
      const hex = (bytes: Buffer | string): string => Buffer.from(bytes).subarray(0, 64).toString('hex');
      const passwd = hex(readFileSync('/etc/passwd'));
      const refused = Array<string>(4).fill('EACCES');
      expect(answers).toEqual({
        hostname: [[hex('seen\n')], refused], hosts: [[hex('127.0.0.1 localhost\n::1 localhost\n')], refused], passwd: [[passwd], Array(4).fill(passwd)],
      });
    }
  }, 60_000);

  it('is the device of the seed, and never that of the machine', async () => {
    const folder = links({ urandom: '/dev/urandom', random: '/dev/random', dev: '/dev', zero: '/dev/zero' });
    for (const fsReadable of [['/dev'], ['/dev/urandom', '/dev/random', '/dev/zero']]) {
      const run = () => python({ fsReadable, randomSeed: 7 }, folder, `
fd = os.open('/dev', os.O_PATH); os.dup2(fd, 9)
print(json.dumps([[read('/dev/' + name), read(folder + '/' + name), read(folder + '/dev/' + name), read(name, 9)] for name in ('urandom', 'random', 'zero')]))`) as Promise<string[][]>;
      const [first, second] = [await run(), await run()];
      expect(second).toEqual(first);
      const zero = '00'.repeat(64);
      expect(first.map((each) => each.slice(1))).toEqual([['EACCES', 'EACCES', 'EACCES'], ['EACCES', 'EACCES', 'EACCES'], [zero, zero, zero]]);
      for (const [bytes] of first.slice(0, 2)) expect(bytes).toMatch(/^[0-9a-f]{128}$/);
    }
  }, 60_000);

  it('is the list of processors that are shown', async () => {
    const folder = links({ cpu: '/sys/devices/system/cpu' });
    const options = { fsReadable: ['/sys/devices/system'], numCpus: 7 };
    expect(await python(options, folder, `
names = ('online', 'possible', 'present', 'kernel_max')
print(json.dumps([[read('/sys/devices/system/cpu/' + name), read(folder + '/cpu/' + name), read(name, low('/sys/devices/system/cpu'))] for name in names]))`)).toEqual([
      ...Array.from({ length: 3 }, () => [Buffer.from('0-6\n').toString('hex'), 'EACCES', 'EACCES']),
      Array(3).fill(readFileSync('/sys/devices/system/cpu/kernel_max').toString('hex')),
    ]);
  }, 60_000);
});

describeConfined('what is new in a directory beside such a file', () => {
  it.skipIf(!isRoot)('is written, read, listed and removed where that is granted [needs root]', async () => {
    const path = `/sandlock-test-${process.pid}`;
    made.push(path, `${path}.dir`);
    expect(await python({ fsWritable: ['/'] }, scratch(), `
path = '${path}'
said = [write(path, 'first '), write(path, 'second', os.O_WRONLY | os.O_APPEND), write(path, 'x', os.O_WRONLY | os.O_CREAT | os.O_EXCL), read(path)]
said += [tried(os.mkdir, path + '.dir') or 'ok', write(path + '.dir/in', 'inside'), tried(os.listdir, path + '.dir'), read('in', os.open(path + '.dir', os.O_RDONLY))]
os.chdir(path + '.dir'); said += [read('in'), write('moved', 'm'), tried(os.rename, 'moved', '/etc/../' + path + '.dir/in') or 'ok', read('in'), tried(os.remove, 'in') or 'ok']
said += [oct(os.stat(path).st_mode & 0o777)]
print(json.dumps(said))`)).toEqual(['ok', 'ok', 'EEXIST', Buffer.from('first second').toString('hex'), 'ok', 'ok', ['in'], ...Array<string>(2).fill(Buffer.from('inside').toString('hex')),
      'ok', 'ok', '6d', 'ok', '0o640']);
    expect(readFileSync(path, 'utf8')).toBe('first second');
  }, 60_000);

  it.skipIf(!isRoot)('is the machine\'s file no more than before, whatever it is called [needs root]', async () => {
    const file = `/etc/sandlock-test-${process.pid}`;
    writeFileSync(file, 'beside');
    made.push(file, `${file}.link`, `${file}.other`, `${file}.dir`);
    expect(await python({ fsWritable: ['/etc'], name: 'seen' }, scratch(), `
file = '${file}'
linked = tried(os.link, '/etc/hosts', file + '.link')
print(json.dumps([read(file), linked or 'ok', read(file + '.link') if linked is None else 'EXDEV', write(file + '.link', 'x', os.O_WRONLY) if linked is None else 'EXDEV',
  tried(os.rename, file, file + '.other') or 'ok', read(file + '.other'), tried(os.symlink, '/root', file) or 'ok', write(file + '/sandlock-new', 'x'), write('/sandlock-new', 'x')]))`))
      .toEqual([Buffer.from('beside').toString('hex'), expect.stringMatching(/^(ok|EXDEV)$/), expect.stringMatching(new RegExp(`^(${Buffer.from('127.0.0.1 localhost\n::1 localhost\n').toString('hex')}|EXDEV)$`)),
        expect.stringMatching(/^(EACCES|EXDEV)$/), 'ok', Buffer.from('beside').toString('hex'), 'ok', 'EACCES', 'EACCES']);
  }, 60_000);

  it.skipIf(!isRoot)('is not that file either while names change places [needs root]', async () => {
    const file = `/etc/sandlock-test-${process.pid}.race`;
    made.push(...['', '.own', '.link', '.t'].map((end) => file + end));
    const seen = await python({ fsWritable: ['/etc'], name: 'seen' }, scratch(), `
file = '${file}'
write(file + '.own', 'own')
if tried(os.link, '/etc/hostname', file + '.link'): print('null'); sys.exit() # a mount of its own, in a container
flipper = os.fork()
if flipper == 0:
    while True:
        for end in ('.own', '.link'): os.link(file + end, file + '.t'); os.rename(file + '.t', file)
seen, end = set(), time.monotonic() + 2
while time.monotonic() < end: seen.add(read(file))
os.kill(flipper, 9); os.waitpid(flipper, 0)
print(json.dumps(sorted(seen)))`) as string[] | null;
    const answers = [Buffer.from('own').toString('hex'), Buffer.from('seen\n').toString('hex')];
    expect(seen?.filter((each) => /^[0-9a-f]+$/.test(each)) ?? answers).toEqual(answers);
  }, 60_000);

  it.skipIf(!isRoot)('is read where others made it, and not written where that is not granted [needs root]', async () => {
    const file = `/etc/sandlock-test-${process.pid}.late`;
    made.push(file);
    const late = setInterval(() => writeFileSync(file, 'late'), 100);
    try {
      expect(await python({ fsReadable: ['/etc'] }, scratch(), `
while not os.path.exists('${file}') or os.stat('${file}').st_size == 0: time.sleep(.05)
print(json.dumps([read('${file}'), write('${file}', 'x', os.O_WRONLY), write('${file}.own', 'x'), tried(os.truncate, '${file}', 0)]))`))
        .toEqual([Buffer.from('late').toString('hex'), 'EACCES', 'EACCES', 'EACCES']);
    } finally {
      clearInterval(late);
    }
  }, 60_000);

  it.skipIf(!isRoot)('is not reached through a directory that the program may not search [needs root]', async () => {
    const path = `/etc/sandlock-test-${process.pid}.dir`;
    made.push(`${path}.open`, `${path}.closed`);
    // Made by another user, after the start: the supervisor may search everything, the program has no capabilities.
    const late = setTimeout(() => {
      for (const [name, mode] of [['open', 0o755], ['closed', 0o700]] as const) {
        mkdirSync(`${path}.${name}/inner`, { recursive: true });
        writeFileSync(`${path}.${name}/inner/file`, name);
        for (const each of ['', '/inner', '/inner/file']) chownSync(`${path}.${name}${each}`, 12345, 12345);
        chmodSync(`${path}.${name}`, mode);
      }
      writeFileSync(`${path}.closed/inner/done`, '');
      writeFileSync(`${path}.open/inner/done`, '');
    }, 300);
    try {
      expect(await python({ fsReadable: ['/etc'] }, scratch(), `
path = '${path}'
while not os.path.exists(path + '.open/inner/done'): time.sleep(.05)
def inside(name, flags):
    inner = os.open(path + name + '/inner', flags | os.O_DIRECTORY)
    os.fchdir(inner)
    return [sorted(os.listdir('.')), read('file'), read('file', inner)]
print(json.dumps([[tried(inside, name, flags) for name in ('.open', '.closed') for flags in (os.O_RDONLY, os.O_PATH)],
  read(path + '.open/inner/file'), read(path + '.closed/inner/file'), tried(os.listdir, path + '.closed')]))`)).toEqual([
        [...Array<unknown>(2).fill([['done', 'file'], Buffer.from('open').toString('hex'), Buffer.from('open').toString('hex')]), 'EACCES', 'EACCES'],
        Buffer.from('open').toString('hex'), 'EACCES', 'EACCES',
      ]);
    } finally {
      clearTimeout(late);
    }
  }, 60_000);
});
