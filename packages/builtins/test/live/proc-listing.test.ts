import { mayCallPidfdGetfd } from '@sandlock/sys';
import type { Family } from '@sandlock/dispatch';
import { readdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';

import { PositionStore, proc, ProcessTree, startClock, views, watchedFdBase, type ProcOptions } from '../../src/index.js';
import { GETDENTS } from './getdents.js';
import { python } from './python.js';
import { endAll, hasPython, Sandboxed } from './sandboxed.js';

afterEach(endAll);

const MIB = 2 ** 20;

/** Every descriptor is watched: nobody puts directories at high numbers here. */
function families(options: Partial<ProcOptions> = {}) {
  return (guardPid: () => number) => [proc({ members: new ProcessTree(guardPid), guardPid, watchedFdBase: 0, ...options })];
}

describe.skipIf(!hasPython)('a listing of /proc [needs Linux 5.14, python3]', () => {
  it('has the members, also one that never made a trapped call, and every name that is no number', async () => {
    const result = await python(families(), `${GETDENTS}
ready, release = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.write(ready[1], b'x'); os.read(release[0], 1); os._exit(0)
os.read(ready[0], 1)
fd = os.open('/proc', os.O_RDONLY)
names = everything(fd)
os.write(release[1], b'x')
os.waitpid(child, 0)
after = os.listdir('/proc')
say({'pids': [int(n) for n in names if n.isdigit()], 'mine': sorted([os.getpid(), child]), 'dots': names[:2],
     'names': sorted(n for n in names if not n.isdigit()), 'after': [int(n) for n in after if n.isdigit()], 'me': os.getpid()})
`) as { pids: number[]; mine: number[]; dots: string[]; names: string[]; after: number[]; me: number };
    expect(result.pids).toEqual(result.mine);
    expect(result.dots).toEqual(['.', '..']);
    expect(result.names).toEqual(['.', '..', ...readdirSync('/proc').filter((name) => !/^\d+$/.test(name))].sort());
    expect(result.after).toEqual([result.me]);
    expect(readdirSync('/proc')).toContain(String(process.pid)); // who is not in it
  });

  it('is what ps and pgrep show', async () => {
    const { stdout } = await new Sandboxed(['/bin/bash', '-c', 'ps -e -o comm= | sort; pgrep -c .; pgrep node; true'], families()).done;
    expect(stdout).toBe('bash\nps\nsort\n1\n'); // pgrep leaves itself out
  });

  it.skipIf(!mayCallPidfdGetfd())('starts over when rewound or opened again, and is shared by duplicates and children [needs pidfd_getfd]', async () => {
    expect(await python(families(), `${GETDENTS}
fd = os.open('/proc', os.O_RDONLY)
first = getdents(fd, 64)
again = (os.lseek(fd, 0, os.SEEK_SET), getdents(fd, 64))[1]
copy = os.dup(fd)
rest = getdents(copy, 64)
child = os.fork()
if child == 0: os._exit(len(getdents(fd, 64)))
taken = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
third = getdents(fd, 64)
os.close(fd); os.close(copy)
same = os.open('/proc', os.O_RDONLY)
names = os.listdir('/proc')
flat = [n for n in names if not n.isdigit()]
say([first == again, same == fd, getdents(same, 64) == first, taken > 0, rest[0] == flat[len(first) - 2],
     third[0] == flat[len(first) - 2 + len(rest) + taken]])
`)).toEqual([true, true, true, true, true, true]);
  });

  it('is the same in small buffers and in the older records, and refuses what the kernel refuses', async () => {
    expect(await python(families(), `${GETDENTS}
def names(room, nr=GETDENTS64):
    fd = os.open('/proc', os.O_RDONLY)
    try: return everything(fd, room, nr)
    finally: os.close(fd)
whole = names(65536)
fd = os.open('/proc', os.O_RDONLY)
tiny = getdents(fd, 23)
bad = getdents(fd, 4096, GETDENTS64, ctypes.c_void_p(8))
older = names(4096, 78) == whole if os.uname().machine == 'x86_64' else True
path = os.open('/proc', os.O_PATH)
say([names(48) == whole, names(200) == whole, older, tiny, bad, getdents(fd, 24), getdents(0), getdents(999), getdents(path)])
`)).toEqual([true, true, true, 'EINVAL', 'EFAULT', ['.'], 'ENOTDIR', 'EBADF', 'EBADF']);
  });
});

describe.skipIf(!hasPython)('a listing where descriptors cannot be copied [needs Linux 5.14, python3]', () => {
  it('is whole, in small buffers, rewound, closed and opened again', async () => {
    expect(await python(families({ positions: new PositionStore(false) }), `${GETDENTS}
fd = os.open('/proc', os.O_RDONLY)
whole = everything(fd)
os.lseek(fd, 0, os.SEEK_SET)
small = everything(fd, 48)
os.lseek(fd, 0, os.SEEK_SET)
first = getdents(fd, 64)
os.lseek(fd, 0, os.SEEK_SET)
again = getdents(fd, 64)
other = os.open('/proc', os.O_RDONLY)
side = getdents(other, 24)
rest = everything(fd)
os.close(fd)
path = os.open('/proc', os.O_PATH)
say([sorted(whole) == sorted(['.', '..'] + os.listdir('/proc')), small == whole, first == again, again + rest == whole, side, os.listdir('/proc') == whole[2:], getdents(path),
     [int(n) for n in whole if n.isdigit()] == [os.getpid()], getdents(other, 23)])
`)).toEqual([true, true, true, true, ['.'], true, 'EBADF', true, 'EINVAL']);
  });
});

describe.skipIf(!hasPython)('a listing at a watched number where descriptors cannot be copied [needs Linux 5.14, python3]', () => {
  it('starts over when the number is given out again', async () => {
    const positions = new PositionStore(false);
    const base = watchedFdBase(1024);
    const all = (guardPid: () => number): Family[] => {
      const members = new ProcessTree(guardPid);
      const family = proc({ members, guardPid, watchedFdBase: base, positions });
      const grants = { mayRead: () => true, mayWrite: () => false };
      return [views({ views: family.views, grants, members, watchedFdBase: base, procGranted: true, positions }), family];
    };
    expect(await python(all, `${GETDENTS}
fd = os.open('/proc', os.O_RDONLY)
first = getdents(fd, 64)
os.close(fd)
again = os.open('/proc', os.O_RDONLY)
say([fd == again >= ${base}, getdents(again, 64) == first, len(os.listdir('/proc')) == len(os.listdir('/proc'))])
`)).toEqual([true, true, true]);
  });
});

describe.skipIf(!hasPython)('a listing of other directories [needs Linux 5.14, python3]', () => {
  it('is the kernel\'s, renamed and removed ones included, and bytes that are no text', async () => {
    expect(await python(families({ numCpus: 1 }), `${GETDENTS}
import tempfile
top = tempfile.mkdtemp()
inner = os.path.join(top, 'inner')
os.mkdir(inner)
names = [b'\\xff\\xfe', b'new\\nline', b'plain'] + [b'%d' % n for n in range(1000)]
for name in names: os.close(os.open(os.path.join(inner.encode(), name), os.O_CREAT | os.O_WRONLY))
fd = os.open(inner, os.O_RDONLY)
part = getdents(fd, 4096)
os.rename(inner, inner + '2')
rest = everything(fd)
for name in names: os.unlink(os.path.join(inner.encode() + b'2', name))
os.rmdir(inner + '2')
os.lseek(fd, 0, 0)
gone = getdents(fd)
os.rmdir(top)
say([sorted(part + rest) == sorted(os.fsdecode(n) for n in names + [b'.', b'..']), gone,
     [n for n in sorted(os.listdir('/sys/devices/system/cpu')) if n[3:].isdigit()], len(os.listdir('/proc/self/task'))])
`)).toEqual([true, 'ENOENT', ['cpu0'], 1]);
  });
});

describe.skipIf(!hasPython)('sysinfo(2) [needs Linux 5.14, python3]', () => {
  const PROGRAM = `
import struct
record = ctypes.create_string_buffer(128)
result = libc.sysinfo(record)
f = struct.unpack_from('<q3Q6QH6xQQI', record)
say({'result': result, 'uptime': f[0], 'loads': f[1:4], 'total': f[4], 'free': f[5], 'procs': f[10], 'unit': f[13], 'pages': os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'),
     'bad': call(lambda: raw(99 if os.uname().machine == 'x86_64' else 179, ctypes.c_void_p(8)))})
`;

  it('says the limit for memory, the sandbox\'s own processes and no load', async () => {
    const memory = { limitBytes: 512 * MIB, usedBytes: () => 100 * MIB };
    expect(await python(families({ memory, time: startClock(0n) }), PROGRAM)).toEqual({
      result: 0, uptime: 0, loads: [0, 0, 0], total: 512 * MIB, free: 412 * MIB, procs: 1, unit: 1, pages: 512 * MIB, bad: 'EFAULT',
    });
  });

  it('says the machine\'s memory and uptime where the sandbox has none of its own', async () => {
    const result = await python(families(), PROGRAM) as { uptime: number; total: number };
    expect(result.total).toBe(totalmem());
    expect(result.uptime).toBeGreaterThan(60);
  });
});
