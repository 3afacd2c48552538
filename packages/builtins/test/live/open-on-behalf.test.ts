/** One program opens files in every way there is, with every open answered by the supervisor and with none: the same. */
import { action, type Family } from '@sandlock/dispatch';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openOnBehalf, type OpenJudge } from '../../src/open/open-on-behalf.js';
import { python } from './python.js';
import { endAll, hasPython, inContainer, Sandboxed } from './sandboxed.js';

afterEach(endAll);

const script = fileURLToPath(new URL('../targets/file-operations.py', import.meta.url));
const isRoot = process.getuid!() === 0;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'builtins-open-'));
  chmodSync(scratch, 0o755);
});
afterAll(() => { rmSync(scratch, { recursive: true }); });

function opening(judge: OpenJudge = () => undefined): Family {
  const open = (context: Parameters<typeof openOnBehalf>[0]) => openOnBehalf(context, judge);
  return { name: 'open', handlers: { open, openat: open, openat2: open, creat: open } };
}

function directory(name: string): string {
  const path = join(scratch, name);
  mkdirSync(path, { mode: 0o755 });
  return path;
}

describe.skipIf(!hasPython)('opens on behalf [needs python3]', () => {
  it('come to what they come to without', async () => {
    const { stdout: plain, stderr } = spawnSync('setsid', ['-w', '/usr/bin/python3', '-I', script, directory('plain')], {
      encoding: 'utf8', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    });
    expect(stderr).toBe('');
    expect(plain.split('\n').length).toBeGreaterThan(130);
    const sandboxed = new Sandboxed(['/usr/bin/python3', '-I', script, directory('behalf')], () => [opening()]);
    const result = await sandboxed.done;
    expect(result.stderr).toBe('');
    expect(result.stdout.split('\n')).toEqual(plain.split('\n'));
    expect(sandboxed.reports).toEqual([]);
  }, 60_000);

  it('are judged by what is opened, whatever its name is meanwhile', async () => {
    const folder = directory('race');
    const seen = new Set<string>();
    const judge: OpenJudge = ({ path }) => {
      if (path.startsWith(folder)) seen.add(path.slice(folder.length + 1));
      return path === `${folder}/secret` ? action.errno('ENOLINK') : undefined;
    };
    const result = await python(() => [opening(judge)], `
import time
os.chdir(sys.argv[1])
for name in ('secret', 'harmless'):
    with open('new', 'w') as f: f.write(name)
    os.rename('new', name)
os.symlink('harmless', 'a'); os.symlink('secret', 'b')
stop = False
def flip():
    # a is a link to the one or the other, and sometimes a hard link to the secret itself
    n = 0
    while not stop:
        n += 1
        os.symlink('secret' if n % 2 else 'harmless', 'next'); os.rename('next', 'a')
thread = threading.Thread(target=flip); thread.start()
got = set()
began = time.monotonic()
while time.monotonic() - began < 1.5:
    try:
        fd = os.open('a', os.O_RDONLY); got.add(os.read(fd, 9).decode()); os.close(fd)
    except OSError as error: got.add(errno.errorcode[error.errno])
stop = True; thread.join()
say([sorted(got), call(os.open, 'secret', os.O_RDONLY), call(os.open, 'b', os.O_RDONLY), call(os.open, '../race/secret', os.O_RDWR)])
`, folder);
    expect(result).toEqual([['ENOLINK', 'harmless'], 'ENOLINK', 'ENOLINK', 'ENOLINK']);
    expect([...seen].sort()).toEqual(['harmless', 'new', 'secret']);
  }, 30_000);

  it('never make a file over one that was not judged', async () => {
    const folder = directory('exclusive');
    writeFileSync(join(folder, 'victim'), 'untouched');
    let judged = 0;
    const judge: OpenJudge = ({ path, stat, writes }) => {
      if (path === `${folder}/victim` && writes) return action.errno('EACCES');
      // The name is missing: somebody puts a link there before we make it.
      if (path === `${folder}/name` && stat === undefined && judged++ === 0) symlinkSync('victim', join(folder, 'name'));
      return undefined;
    };
    expect(await python(() => [opening(judge)], `
os.chdir(sys.argv[1])
say([call(os.open, 'name', os.O_WRONLY | os.O_CREAT | os.O_TRUNC), call(os.open, 'other', os.O_WRONLY | os.O_CREAT) > 2])`, folder)).toEqual(['EACCES', true]);
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
    expect(judged).toBe(1);
  });

  it('keep the terminal of the target its own', async () => {
    expect(await python(() => [opening()], `
import pty
pid, master = pty.fork()
if pid == 0:
    with open('/dev/tty', 'w') as tty: tty.write('from the child')
    os._exit(0)
text = os.read(master, 99).decode()
os.waitpid(pid, 0)
say([text, call(os.open, '/dev/tty', os.O_RDWR)])`)).toEqual(['from the child', 'ENXIO']);
  });

  it('leave nothing open here, and end what waits with its program', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const folder = directory('leaks');
    const sandboxed = new Sandboxed(['/usr/bin/python3', '-I', '-c', `
import os, sys, threading, time
os.chdir(sys.argv[1]); os.mkfifo('fifo'); os.mkfifo('other')
for n in range(300):
    for path in ('fifo', '/none', '.', '/dev/fd/0', '/proc/self/exe', '/proc/self/cwd/x/y'):
        try: os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError: pass
for path, flags in (('fifo', os.O_RDONLY), ('other', os.O_WRONLY), ('fifo', os.O_RDONLY)):
    threading.Thread(target=os.open, args=(path, flags), daemon=True).start()
time.sleep(.1); os.kill(os.getpid(), 9)`, folder], () => [opening()]);
    expect((await sandboxed.done).exit.signal).toBe(9);
    await new Promise((resolve) => { setTimeout(resolve, 400); });
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  }, 30_000);

  it.skipIf(!isRoot || inContainer)('have the rights of the target and not ours [needs root, no container]', async () => {
    const folder = directory('rights');
    writeFileSync(join(folder, 'theirs'), 'x', { mode: 0o600 });
    chownSync(join(folder, 'theirs'), 4242, 4242);
    chmodSync(folder, 0o777);
    const groups = process.getgroups!();
    expect(await python(() => [opening()], `
os.chdir(sys.argv[1])
root = call(os.open, 'theirs', os.O_RDONLY) > 2
os.setgroups([70001]); os.setresgid(4243, 4243, 4243); os.setresuid(4242, 4242, 4242)
fd = os.open('mine', os.O_WRONLY | os.O_CREAT)
st = os.fstat(fd)
as_owner = call(os.open, 'theirs', os.O_RDWR) > 2
say([root, as_owner, st.st_uid, st.st_gid, call(os.open, '/etc/shadow', os.O_RDONLY), call(os.open, '/proc/1/environ', os.O_RDONLY),
     call(os.open, '/proc/self/comm', os.O_RDONLY) > 2])`, folder)).toEqual([true, true, 4242, 4243, 'EACCES', 'EACCES', true]);
    const bare = ['/usr/bin/setpriv', '--bounding-set=-all', '--inh-caps=-all', '/usr/bin/python3', '-I', '-c'];
    const program = "import os, sys\ntry: os.open('theirs', os.O_RDONLY)\nexcept PermissionError: print('refused', os.open('/etc/shadow', os.O_RDONLY) > 2)";
    const { stdout, stderr } = await new Sandboxed([...bare, `import os; os.chdir(${JSON.stringify(folder)})\n${program}`], () => [opening()]).done;
    expect([stdout, stderr]).toEqual(['refused True\n', '']);
    expect(process.getgroups!()).toEqual(groups);
    expect(readFileSync(join(folder, 'theirs'), 'utf8')).toBe('x'); // ours are back
  });

  it.skipIf(isRoot)('are refused where a program hides its memory [needs an ordinary user]', async () => {
    const folder = directory('hidden');
    copyFileSync('/usr/bin/cat', join(folder, 'cat'));
    chmodSync(join(folder, 'cat'), 0o111);
    const { stdout, exit } = await new Sandboxed([join(folder, 'cat'), '/etc/passwd'], () => [opening()]).done;
    expect([stdout, exit.code]).toEqual(['', 127]); // not even its libraries
  });
});
