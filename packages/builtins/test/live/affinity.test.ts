import { syscallNumber } from '@sandlock/bpf';
import { schedGetaffinity, schedSetaffinity } from '@sandlock/sys';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { affinity, processes, ProcessTree, type AffinityOptions } from '../../src/index.js';
import { python } from './python.js';
import { arch, endAll, hasPython } from './sandboxed.js';

/** A process of the same user outside of the sandbox. */
let outsider: ChildProcess;
beforeAll(() => { outsider = spawn('/bin/sleep', ['60']); });
afterAll(() => { outsider.kill('SIGKILL'); });
afterEach(endAll);

const hasTwo = (schedGetaffinity(0)[0]! & 3) === 3;
const numbers = JSON.stringify([syscallNumber(arch, 'sched_setaffinity'), syscallNumber(arch, 'sched_getaffinity'), syscallNumber(arch, 'getcpu')]);
const kernelBytes = schedGetaffinity(0).length;

const families = (options: Omit<AffinityOptions, 'members'>) => (guardPid: () => number) => [
  affinity({ ...options, members: new ProcessTree(guardPid) }), processes({ maxProcesses: 8, members: new ProcessTree(guardPid) }),
];

const CALLS = `
SET, GET, CPU = json.loads(sys.argv[1])
def mask(*cpus): return sum(1 << cpu for cpu in cpus).to_bytes(128, 'little')
def put(pid, *cpus, size=128, at=None): return raw(SET, pid, ctypes.c_size_t(size), at if at is not None else mask(*cpus))
def get(pid, size=128):
    buffer = ctypes.create_string_buffer(b'\\xff' * 1024, 1024)
    got = raw(GET, pid, ctypes.c_size_t(size), buffer)
    if isinstance(got, str): return got
    value = int.from_bytes(buffer.raw[:got], 'little')
    return [cpu for cpu in range(8192) if value >> cpu & 1]
def allowed(pid): # what the kernel says
    return next(line.split()[1] for line in open(f'/proc/{pid}/status') if line.startswith('Cpus_allowed_list'))
`;

const run = (options: Omit<AffinityOptions, 'members'>, program: string, ...args: (string | number)[]) =>
  python(families(options), CALLS + program, numbers, ...args.map(String));

describe.skipIf(!hasPython || !hasTwo)('the granted processors [needs python3, CPUs 0 and 1, Linux 5.14]', () => {
  it('cannot be widened by a program for itself, its threads or its children', async () => {
    const program = `
os.sched_setaffinity(0, {1}) # as it was started
results = [put(0, 0, 1), allowed('self'), put(os.getpid(), 1), allowed('self')]
gate, seen = threading.Barrier(2), []
def other(): seen.append(threading.get_native_id()); gate.wait(); gate.wait()
thread = threading.Thread(target=other); thread.start(); gate.wait()
results += [put(seen[0], 0, 1), allowed(seen[0])]
gate.wait()
child = os.fork()
if child == 0:
    while True: libc.pause()
results += [put(child, 0, 1), allowed(child)]
os.kill(child, 9); os.wait()
say(results)`;
    expect(await run({ cpuCores: [1] }, program)).toEqual([0, '1', 0, '1', 0, '1', 0, '1']);
    // Without the family the kernel gives a program what it asks for.
    const none = await python((guardPid) => [processes({ maxProcesses: 8, members: new ProcessTree(guardPid) })], `${CALLS}
os.sched_setaffinity(0, {1})
say([put(0, 0, 1), allowed('self')])`, numbers);
    expect(none).toEqual([0, '0-1']);
  });

  it('may be narrowed, and widened again to what they are', async () => {
    expect(await run({ cpuCores: [0, 1] }, `say([put(0, 1, 5), allowed('self'), put(0, 0), allowed('self'), put(0, *range(1000)), allowed('self')])`))
      .toEqual([0, '1', 0, '0', 0, '0-1']);
  });

  it('fail with the kernel\'s errors: none left, none at all, a bad address, nobody there', async () => {
    const program = `
outside, parent = int(sys.argv[2]), os.getppid()
say([put(0, 0), put(0, 7), put(0), put(0, 1, size=0), put(0, at=ctypes.c_void_p(8)), put(-1, 1), put(outside, 1), put(parent, 1), put(2 ** 22 + 5, 1), put(0, 1)])`;
    const before = schedGetaffinity(outsider.pid!);
    expect(await run({ cpuCores: [1] }, program, outsider.pid!)).toEqual(
      ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EFAULT', 'ESRCH', 'ESRCH', 'ESRCH', 'ESRCH', 0]);
    expect(schedGetaffinity(outsider.pid!)).toEqual(before);
  });

  it('are looked at as the kernel does: an int, an unsigned int, no further than its own mask', async () => {
    const program = `say([put(ctypes.c_ulong(2 ** 32), 1, size=2 ** 32 + 128), put(0, 1, size=2 ** 64 - 1), put(0, 1, size=1), put(0, 0, 1, size=1), allowed('self')])`;
    expect(await run({ cpuCores: [1] }, program)).toEqual([0, 0, 0, 0, '1']);
  });
});

describe.skipIf(!hasPython)('the number of processors [needs python3, Linux 5.14]', () => {
  it.each([1, 2, 3, 64, 65, 700])('seems to be %i', async (numCpus) => {
    const first = Array.from({ length: numCpus }, (_, n) => n);
    const size = Math.max(kernelBytes, 8 * Math.ceil(numCpus / 64));
    expect(await run({ numCpus }, `
child = os.fork()
if child == 0:
    while True: libc.pause()
result = [get(0), get(os.getpid()), get(child), len(os.sched_getaffinity(0)), raw(GET, 0, ctypes.c_size_t(1024), ctypes.create_string_buffer(1024))]
os.kill(child, 9); os.wait(); say(result)`)).toEqual([first, first, first, numCpus, size]);
  });

  it('is no more than what is granted, and of that the first', async () => {
    const granted = 'os.sched_setaffinity(0, {1}); say([get(0), allowed("self")])';
    expect(await run({ numCpus: 1, cpuCores: [1, 3] }, granted)).toEqual([[1], '1']);
    expect(await run({ numCpus: 2, cpuCores: [1] }, granted)).toEqual([[1], '1']);
  });

  it.skipIf(!hasTwo)('follows what a program sets [needs CPUs 0 and 1]', async () => {
    expect(await run({ numCpus: 2 }, 'say([put(0, 1), get(0), allowed("self"), put(0, 2), put(0, 0, 1, 2), get(0)])'))
      .toEqual([0, [1], '1', 'EINVAL', 0, [0, 1]]);
  });

  it('has the kernel\'s errors, and no size is too large for the supervisor', async () => {
    const program = `
outside = int(sys.argv[2])
say([get(0, 0), get(0, ${kernelBytes - 4}), get(0, ${kernelBytes + 4}), get(-1), get(outside), get(os.getppid()),
     raw(GET, 0, ctypes.c_size_t(128), ctypes.c_void_p(8)), raw(GET, 0, ctypes.c_size_t(2 ** 64 - 8), ctypes.create_string_buffer(1024)), get(0)])`;
    expect(await run({ numCpus: 1 }, program, outsider.pid!)).toEqual(
      ['EINVAL', 'EINVAL', 'EINVAL', 'ESRCH', 'ESRCH', 'ESRCH', 'EFAULT', kernelBytes, [0]]);
  });

  it('fits in a mask that the kernel would take, and in none that is smaller', async () => {
    const sizes = `say([raw(GET, 0, ctypes.c_size_t(size), ctypes.create_string_buffer(1024)) for size in (0, 8, 16, ${kernelBytes}, 64)])`;
    const taken = await run({ cpuCores: [0] }, sizes); // by the kernel
    expect(await run({ numCpus: 1 }, sizes)).toEqual(taken);
    expect(await run({ numCpus: 65 }, 'say(get(0, 8))')).toBe('EINVAL');
  });

  it('holds for getcpu(2), where it is called', async () => {
    const program = `
cpu, node = ctypes.c_uint(77), ctypes.c_uint(77)
say([raw(CPU, ctypes.byref(cpu), ctypes.byref(node), None), cpu.value, node.value, raw(CPU, None, None, None), raw(CPU, ctypes.c_void_p(8), None, None)])`;
    expect(await run({ numCpus: 1 }, program)).toEqual([0, 0, 0, 0, 'EFAULT']);
  });

  it('leaves alone which processors are used', async () => {
    expect(await run({ numCpus: 1 }, 'say(allowed("self"))')).toBe(await run({ numCpus: 64 }, 'say(allowed("self"))'));
  });
});

describe('affinity family', () => {
  it('takes processors that can be', () => {
    const members = new ProcessTree(() => 0);
    for (const options of [{ cpuCores: [] }, { cpuCores: [-1] }, { cpuCores: [8192] }, { numCpus: 0 }, { numCpus: 8193 }, { numCpus: 1.5 }]) {
      expect(() => affinity({ ...options, members })).toThrow(RangeError);
    }
    schedSetaffinity(0, schedGetaffinity(0));
  });
});
