import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PositionStore, ProcessTree, sortedDirectories } from '../../src/index.js';
import { visibleEntries } from '../../src/proc/proc-listing.js';
import { GETDENTS } from './getdents.js';
import { python } from './python.js';
import { endAll, hasPython, inContainer, Sandboxed } from './sandboxed.js';

/** In no order that a file system would keep by itself: neither first to last, nor last to first. */
const NAMES = ['m', 'a', 'Z', '.hidden', '!', 'b10', 'b9', 'ä', '0', '-', '..x', 'c'];
const SORTED = ['.', '..', ...[...NAMES].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))];

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sorted-'));
  for (const name of NAMES) writeFileSync(join(directory, name), '');
});

afterEach(async () => {
  await endAll();
  rmSync(directory, { recursive: true, force: true });
});

const sorted = () => [sortedDirectories()];
/** As in a container whose filter denies copies of descriptors. */
const apart = () => [sortedDirectories({ positions: new PositionStore(false) })];

async function output(families: typeof sorted, ...argv: string[]): Promise<string> {
  const { stdout, stderr } = await new Sandboxed(argv, families).done;
  expect(stderr).toBe('');
  return stdout;
}

/** In the directory that was given. */
const LISTING = `${GETDENTS}
os.chdir(sys.argv[1])
here = os.open('.', os.O_RDONLY)
`;

/** Where directories of one mount may have one inode number, which is all that tells them apart for positions kept apart. */
const onBtrfs = statfsSync(tmpdir()).type === 0x9123683e;

describe.skipIf(!onBtrfs)('sorted directories of btrfs, positions kept apart [needs a temporary folder on btrfs]', () => {
  it.skipIf(!hasPython)('are not listed [needs python3]', async () => {
    expect(await python(apart, `${LISTING}say([getdents(here), getdents(os.open('/', os.O_RDONLY))[:2]])`, directory)).toEqual(['EACCES', ['.', '..']]);
  });
});

describe.each([
  ['shared positions [needs Linux 5.14]', sorted, true], ['positions kept apart [needs Linux 5.14, a temporary folder not on btrfs]', apart, !onBtrfs],
] as const)('sorted directories, %s', (_, families, canList) => {
  beforeEach(({ skip }) => skip(!canList));

  it('are listed in the order of bytes, the dots first', async () => {
    expect((await output(families, '/bin/ls', '-aU', directory)).split('\n').slice(0, -1)).toEqual(SORTED);
    expect((await output(families, '/usr/bin/find', directory, '-printf', '%f\n')).split('\n').slice(1, -1)).toEqual(SORTED.slice(2));
  });

  it('come sorted because of the family alone', async () => {
    expect((await output(() => [], '/bin/ls', '-aU', directory)).split('\n').slice(0, -1)).not.toEqual(SORTED);
  });

  it.skipIf(!hasPython)('come in as many calls as the buffer wants, and EINVAL for one that is too small [needs python3]', async () => {
    expect(await python(families, `${LISTING}
lists = []
for room in (32, 50, 100, 65536):
    os.lseek(here, 0, 0); lists.append(everything(here, room))
os.lseek(here, 0, 0)
if GETDENTS: lists.append(everything(here, 200, GETDENTS))
else: lists.append(lists[0])
os.lseek(here, 0, 0)
say([lists, getdents(here, 8), getdents(here, 23), getdents(here, 24), getdents(here, 0), getdents(here, 100, GETDENTS64, ctypes.c_void_p(8)),
  getdents(here, 50), getdents(99), getdents(0), everything(here)[0]])`, directory)).toEqual([
      Array.from({ length: 5 }, () => SORTED), 'EINVAL', 'EINVAL', ['.'], 'EINVAL', 'EFAULT', ['..', '!'], 'EBADF', 'ENOTDIR', '-']);
  });

  it.skipIf(!hasPython)('can be sought in: rewound, back to where one was, and read again at the end [needs python3]', async () => {
    expect(await python(families, `${LISTING}
cookies = []
first = getdents(here, 100, cookies=cookies)
rest = everything(here)
again = getdents(here)
os.lseek(here, cookies[1], 0)
behind = everything(here)
os.lseek(here, 0, 0)
say([first + rest, again, behind, everything(here), len(set(cookies)) == len(cookies)])`, directory)).toEqual([
      // Where positions are kept apart, the end is where one forgets: the number may be another directory's by then.
      SORTED, families === sorted && !inContainer ? [] : SORTED, SORTED.slice(2), SORTED, true]);
  });

  it.skipIf(!hasPython)('keep a listing that has begun, whatever is made and removed meanwhile [needs python3]', async () => {
    mkdirSync(join(directory, 'many'));
    for (let n = 0; n < 1000; n++) writeFileSync(join(directory, 'many', `f${n}`), '');
    expect(await python(families, `${LISTING}
import shutil
fd = os.open('many', os.O_RDONLY)
count = 0
while names := getdents(fd, 1000):
    for name in names:
        if name[0] == 'f': os.unlink('many/' + name); count += 1
        if name[0] == 'f' and count < 100: open('many/a%d' % count, 'w').close()
left = sorted(os.listdir('many'))
shutil.rmtree('many')
say([count, len(left), os.path.exists('many')])`, directory)).toEqual([1000, 99, false]);
  });

  it.skipIf(!hasPython)('are those of the descriptor: renamed, removed, closed and opened again [needs python3]', async () => {
    expect(await python(families, `${LISTING}
os.mkdir('dir'); open('dir/one', 'w').close(); os.mkdir('other'); open('other/two', 'w').close()
fd = os.open('dir', os.O_RDONLY)
begun = getdents(fd, 24)
os.rename('dir', 'renamed'); os.rename('other', 'dir')
renamed = everything(fd)
os.close(fd)
same = os.open('dir', os.O_RDONLY)
reopened = everything(same) if same == fd else None
os.lseek(same, 0, 0); getdents(same, 24)
os.unlink('dir/two'); os.rmdir('dir')
os.lseek(same, 0, 0)
os.mkdir('locked'); open('locked/x', 'w').close()
locked = os.open('locked', os.O_RDONLY)
say([begun, renamed, reopened, everything(same), everything(os.open('renamed', os.O_RDONLY | os.O_PATH))])`, directory)).toEqual([
      ['.'], ['..', 'one'], ['.', '..', 'two'], 'ENOENT', 'EBADF']);
  });

  it.skipIf(!hasPython)('have names of any bytes [needs python3]', async () => {
    expect(await python(families, `${LISTING}
os.mkdir('odd')
names = [b'\\xff', b'\\x80\\x01', b'a\\nb', b'x' * 255, b'...', b'.a', b'\\xc3\\xa4']
for name in names: open(b'odd/' + name, 'w').close()
got = everything(os.open('odd', os.O_RDONLY))
say([n.encode('utf8', 'surrogateescape').hex() for n in got] == [n.hex() for n in [b'.', b'..'] + sorted(names)])`, directory)).toBe(true);
  });

  it.skipIf(!hasPython)('are read by threads of one process at once, each its own [needs python3]', async () => {
    expect(await python(families, `${LISTING}
lists = []
def read():
    for _ in range(20): lists.append(['.', '..'] + os.listdir('.'))
threads = [threading.Thread(target=read) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
say([len(lists), all(l == lists[0] for l in lists), lists[0]])`, directory)).toEqual([80, true, SORTED]);
  });

  it('include /proc, with what is to be seen there', async () => {
    const inProc = (guardPid: () => number) => {
      const options = { members: new ProcessTree(guardPid) };
      return [sortedDirectories({ visible: (entries, fd) => visibleEntries(entries, fd, options), positions: families === apart ? new PositionStore(false) : undefined })];
    };
    const { stdout } = await new Sandboxed(['/bin/bash', '-c', 'ls -aU /proc; :'], inProc).done;
    const names = stdout.split('\n').slice(0, -1);
    expect(names.slice(0, 2)).toEqual(['.', '..']);
    expect(names.slice(2)).toEqual([...names.slice(2)].sort());
    expect(names.filter((name) => /^\d+$/.test(name))).toHaveLength(2);
    expect(names).toContain('self');
    for (const path of ['/sys/class', '/dev', '/']) {
      const listed = (await output(families, '/bin/ls', '-U', path)).split('\n').slice(0, -1);
      expect(listed).toEqual([...listed].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      expect(listed.length).toBeGreaterThan(3);
    }
  });
});

describe.skipIf(!hasPython || inContainer)('positions in sorted directories [needs Linux 5.14, python3, pidfd_getfd]', () => {
  it('are shared by duplicates and children', async () => {
    expect(await python(sorted, `${LISTING}
copy = os.dup(here)
a = getdents(here, 24)
b = getdents(copy, 24)
pid = os.fork()
if pid == 0:
    getdents(here, 24); os._exit(0)
os.waitpid(pid, 0)
own = os.open('.', os.O_RDONLY)
say([a, b, getdents(copy, 24), getdents(own, 24)])`, directory)).toEqual([['.'], ['..'], ['-'], ['.']]);
  });
});
