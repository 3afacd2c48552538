/** When processes were started and how old they are, by all that /proc says of it, where the sandbox has a clock of its own. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { freshImages, proc, ProcessTree, startClock, vdsoPatch, views, virtualTime, watchedFdBase, type VirtualClock } from '../../src/index.js';
import { python } from './python.js';
import { endAll, hasPython } from './sandboxed.js';

afterEach(endAll);

const BASE = watchedFdBase(1024);
const START = 981_173_106;

function families(clock: VirtualClock | undefined) {
  return (guardPid: () => number) => {
    const members = new ProcessTree(guardPid);
    const ofProc = proc({ members, guardPid, watchedFdBase: BASE, time: clock });
    const grants = { mayRead: () => true, mayWrite: () => true };
    const time = clock === undefined ? [] : [freshImages([vdsoPatch(clock)]), virtualTime({ clock })];
    return [...time, views({ views: ofProc.views, grants, members, watchedFdBase: BASE, procGranted: true }), ofProc];
  };
}

const running = () => startClock(BigInt(START) * 1_000_000_000n);
const still = () => startClock(BigInt(START) * 1_000_000_000n + 987_654_321n, { frozen: true });
const machinesBoot = () => Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'latin1'))![1]);

/** Ages by a clock that counts from an event, and by what /proc says; each process is looked at in every way. */
const PROGRAM = `
import struct, time
def stat(path, dir_fd=None):
    with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=dir_fd), encoding='latin1') as file: return file.read()
def field(text, number): return text.rpartition(') ')[2].split(' ')[number - 3]
def starts(texts): return sorted(set(int(field(text, 22)) for text in texts))
def ways(*names): return [stat('/proc/' + name) for name in names] + [stat(name, proc) for name in names]
def sysinfo():
    record = ctypes.create_string_buffer(112); libc.sysinfo(record); return struct.unpack_from('<q', record)[0]

libc.prctl(15, b') R 1 2 (', 0, 0, 0) # PR_SET_NAME
pid, began = os.getpid(), time.monotonic()
time.sleep(0.3)
ready, release = os.pipe(), os.pipe()
childBegan = time.monotonic()
child = os.fork()
if child == 0: os.write(ready[1], b'x'); os.read(release[0], 1); os._exit(0)
os.read(ready[0], 1)
def thread():
    global tid; tid = threading.get_native_id(); os.write(ready[1], b'x'); os.read(release[0], 1)
threading.Thread(target=thread).start(); os.read(ready[0], 1)
time.sleep(0.3)

proc, held = os.open('/proc', os.O_RDONLY), os.open('/proc/%d/stat' % pid, os.O_PATH)
os.chdir('/proc/%d' % pid)
own = ways('self/stat', 'thread-self/stat', '%d/stat' % pid, 'self/task/%d/stat' % pid, '%d/task/%d/../../../self/stat' % (child, child))
own += [stat('stat'), stat('/proc/self/fd/%d' % held), stat('/proc/%d/cwd/stat' % pid)]
children = ways('%d/stat' % child, '%d/task/%d/stat' % (child, child))
threads = ways('self/task/%d/stat' % tid, '%d/stat' % tid)
hertz = os.sysconf('SC_CLK_TCK')
boot = int(stat('/proc/stat').partition('btime ')[2].split()[0])
now, uptime = time.time(), float(stat('/proc/uptime').split()[0])
first, second, third = starts(own)[0], starts(children)[0], starts(threads)[0]
say({
  'boot': boot, 'now': now, 'uptime': uptime, 'sysinfo': sysinfo(), 'started': boot + first / hertz,
  'age': uptime - first / hertz, 'childAge': uptime - second / hertz, 'reallyChildAge': time.monotonic() - childBegan, 'least': time.monotonic() - began,
  'ways': [len(starts(texts)) for texts in (own, children, threads)], 'order': first <= second <= third, 'between': second - first,
  'pids': [sorted(set(int(text.split()[0]) for text in texts)) == [each] for texts, each in ((own, pid), (children, child), (threads, tid))],
  'names': sorted(set(text.rpartition(')')[0].partition(' ')[2] for text in own)), 'states': [sorted(set(field(text, 3) for text in texts)) for texts in (own, children, threads)],
  'foreign': [call(stat, '/proc/%s/stat' % each) for each in (1, os.getppid(), int(sys.argv[1]))],
  'refused': [call(stat, '/proc/self/stat/'), call(os.open, '/proc/self/stat', os.O_RDWR), call(os.open, '/proc/self/stat', os.O_DIRECTORY)],
})
os.write(release[1], b'xx'); os.waitpid(child, 0)
`;

interface Said {
  readonly boot: number; readonly now: number; readonly uptime: number; readonly sysinfo: number; readonly started: number;
  readonly age: number; readonly childAge: number; readonly reallyChildAge: number; readonly least: number; readonly between: number;
}

async function said(clock: VirtualClock | undefined): Promise<Said> {
  const all = await python(families(clock), PROGRAM, String(process.pid)) as Said;
  expect(all).toMatchObject({
    ways: [1, 1, 1], order: true, pids: [true, true, true], names: ['() R 1 2 ('], states: [['R'], ['S'], ['S']],
    foreign: ['ENOENT', 'ENOENT', 'ENOENT'], refused: ['ENOTDIR', 'EACCES', 'ENOTDIR'],
  });
  return all;
}

/** What follows from one is what follows from the other, but for the fraction of a second that btime leaves out. */
function expectOneStory({ boot, now, uptime, sysinfo, started, age }: Said): void {
  expect(Math.abs(now - boot - uptime)).toBeLessThan(1.2);
  expect(Math.abs(now - started - age)).toBeLessThan(1.2);
  expect(Math.abs(sysinfo - uptime)).toBeLessThan(1.2);
}

describe.skipIf(!hasPython)('starts of processes [needs Linux 5.14, python3]', () => {
  it('are of the same calendar as the clock, and ages are true', async () => {
    const all = await said(running());
    expectOneStory(all);
    expect(all.boot).toBe(START);
    expect(all.uptime).toBeLessThan(60);
    expect(all.started).toBeGreaterThanOrEqual(START);
    expect(all.age).toBeGreaterThanOrEqual(all.least - 0.05);
    expect(all.childAge).toBeGreaterThanOrEqual(0.3);
    expect(all.childAge).toBeLessThan(all.reallyChildAge + 0.05);
    expect(all.between).toBeGreaterThanOrEqual(30);
  }, 60_000);

  it('are the moment at which a clock stands still, when everything has just begun', async () => {
    const all = await said(still());
    expectOneStory(all);
    expect(all).toMatchObject({ boot: START, now: START + 0.987654321, uptime: 0, sysinfo: 0, started: START, age: 0, childAge: 0, between: 0 });
  }, 60_000);

  it('are the machine\'s where it has the machine\'s clock', async () => {
    const all = await said(undefined);
    expectOneStory(all);
    expect(all.boot).toBe(machinesBoot());
    expect(Math.abs(all.uptime - Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]))).toBeLessThan(60);
    expect(all.childAge).toBeGreaterThanOrEqual(0.3);
    expect(all.childAge).toBeLessThan(all.reallyChildAge + 0.05);
  }, 60_000);
});
