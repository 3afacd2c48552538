import { syscallNumber } from '@sandlock/bpf';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { OTHER_PROCESS_CALLS, processes, ProcessTree } from '../../src/index.js';
import { python } from './python.js';
import { arch, endAll, hasPython } from './sandboxed.js';

const families = (guardPid: () => number) => [processes({ maxProcesses: 8, members: new ProcessTree(guardPid) })];

/** A process of the same user outside of the sandbox. */
let outsider: ChildProcess;
beforeAll(() => { outsider = spawn('/bin/sleep', ['60']); });
afterAll(() => { outsider.kill('SIGKILL'); });
afterEach(endAll);

const numbers = Object.fromEntries(Object.keys(OTHER_PROCESS_CALLS).map((name) => [name, syscallNumber(arch, name)]));

/** All calls on one id, each with arguments that change nothing. */
const CALLS = `
nr = json.loads(sys.argv[1])
mask = (ctypes.c_ulong * 16)()
libc.sched_getaffinity(0, ctypes.c_size_t(128), mask)
param = (ctypes.c_int * 1)()
attr = (ctypes.c_uint * 12)(48, 0, 0, 0, 5) # size, policy, flags, nice
limit = (ctypes.c_ulong * 2)(2 ** 63 - 1, 2 ** 63 - 1)
libc.syscall(ctypes.c_long(nr['prlimit64']), 0, 7, None, limit)
def calls(pid):
    return {
        'prlimit64': raw(nr['prlimit64'], pid, 7, limit, None),
        'sched_setaffinity': raw(nr['sched_setaffinity'], pid, ctypes.c_size_t(128), mask),
        'sched_setscheduler': raw(nr['sched_setscheduler'], pid, 0, param),
        'sched_setparam': raw(nr['sched_setparam'], pid, param),
        'sched_setattr': raw(nr['sched_setattr'], pid, attr, 0),
        'setpriority': raw(nr['setpriority'], 0, pid, 5),
        'ioprio_set': raw(nr['ioprio_set'], 1, pid, 2 << 13 | 4),
    }
`;

const all = (value: unknown) => Object.fromEntries(Object.keys(numbers).map((name) => [name, value]));

describe.skipIf(!hasPython)('limits, priorities and schedulers [needs python3, Linux 5.14]', () => {
  it('may be set for the caller, its process and its threads, by number too', async () => {
    expect(await python(families, `${CALLS}
gate, seen = threading.Barrier(2), []
def other():
    seen.append(threading.get_native_id()); gate.wait(); seen.append(calls(os.getpid())); gate.wait(); gate.wait()
thread = threading.Thread(target=other); thread.start()
gate.wait(); gate.wait()
say({ 'self': calls(0), 'own': calls(os.getpid()), 'thread': calls(seen[0]), 'from thread': seen[1] })
gate.wait()`, JSON.stringify(numbers))).toEqual({ self: all(0), own: all(0), thread: all(0), 'from thread': all(0) });
  });

  it('may not be set for a process outside, a child, a parent or the guard', async () => {
    const program = `${CALLS}
child = os.fork()
if child == 0:
    while True: libc.pause()
result = { 'child': calls(child), 'guard': calls(os.getppid()), 'outside': calls(int(sys.argv[2])), 'supervisor': calls(int(sys.argv[3])) }
os.kill(child, 9); os.wait()
result['gone'] = calls(child)
result['high half'] = raw(nr['setpriority'], 0, ctypes.c_ulong(2 ** 32 | int(sys.argv[2])), 5)
say(result)`;
    const eperm = all('EPERM');
    const before = nice(outsider.pid!);
    expect(await python(families, program, JSON.stringify(numbers), String(outsider.pid), String(process.pid))).toEqual({
      child: eperm, guard: eperm, outside: eperm, supervisor: eperm, gone: eperm, 'high half': 'EPERM',
    });
    expect(nice(outsider.pid!)).toBe(before);
  });

  it('are the kernel\'s business without the family: the same call on a process outside succeeds', async () => {
    const program = `${CALLS}
say([raw(nr['setpriority'], 0, int(sys.argv[2]), 5), raw(nr['ioprio_set'], 1, int(sys.argv[2]), 2 << 13 | 4)])`;
    const none = () => [{ name: 'none', handlers: { getcpu: () => { throw new Error('not called'); } } }];
    expect(await python(none, program, JSON.stringify(numbers), String(outsider.pid))).toEqual([0, 0]);
    expect(nice(outsider.pid!)).toBe(5);
  });
});

function nice(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[16]);
}
