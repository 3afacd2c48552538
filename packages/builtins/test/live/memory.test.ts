import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, promises, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { memory, ProcessTree, type MemoryFamily, type OnMemoryExceeded } from '../../src/index.js';
import { compiled, endAll, hasGcc, hasPython, removeCompiled, Sandboxed, type Result } from './sandboxed.js';

vi.setConfig({ testTimeout: 30_000 });

const MIB = 2 ** 20;
let program: string;
beforeAll(() => { if (hasGcc) program = compiled('memory'); });
afterEach(endAll);
afterAll(removeCompiled);

interface Run extends Result {
  readonly peakMib: number;
  readonly killed: boolean;
  readonly calls: Readonly<Record<string, number>>;
}

async function run(argv: readonly string[], limitMib: number, onExceeded?: OnMemoryExceeded): Promise<Run> {
  let family!: MemoryFamily;
  const sandboxed = new Sandboxed(argv, (guardPid) => [family = memory({ limitBytes: limitMib * MIB, onExceeded, members: new ProcessTree(guardPid) })]);
  const supervisor = await sandboxed.supervisor;
  family.watch();
  const result = await sandboxed.done;
  expect(sandboxed.reports).toEqual([]);
  return {
    ...result, peakMib: family.peak() / MIB, killed: family.killed(sandboxed.targetPid), calls: supervisor.stats().syscalls,
  };
}

const python = (source: string, limitMib: number, onExceeded?: OnMemoryExceeded): Promise<Run> =>
  run(['/usr/bin/python3', '-I', '-c', source], limitMib, onExceeded);
const inC = (mode: string, mib: number, limitMib: number): Promise<Run> => run([program, mode, String(mib)], limitMib);

const ENDED = { stdout: '', exit: { signal: 9 }, killed: true };

describe.skipIf(!hasPython)('the memory limit and requests [needs python3, Linux 5.14]', () => {
  it('ends a process whose request does not fit before anything of it is used', async () => {
    const { peakMib, ...result } = await python('b = bytearray(200 << 20); print("written")', 64);
    expect(result).toMatchObject(ENDED);
    expect(peakMib).toBeLessThan(40);
    expect(await python('b = bytearray(40 << 20); print("written")', 64)).toMatchObject({ stdout: 'written\n', killed: false });
  });

  it.each(['[bytearray(1 << 20) for _ in range(200)]', '[bytearray(100) for _ in range(2000000)]', '"x" * (200 << 20)'])('adds up what is asked for piece by piece: %s', async (expression) => {
    expect(await python(`b = ${expression}; print("written")`, 64)).toMatchObject(ENDED);
    expect(await python(`b = ${expression}; print("written")`, 512)).toMatchObject({ stdout: 'written\n' });
  });

  it('fails them with ENOMEM where that was chosen, through mmap and brk, and what was freed can be had again', async () => {
    expect(await python(`
kept, refused = [], 0
for size in (200 << 20, 1 << 20, 1000):
    try:
        while True: kept.append(bytearray(size))
    except MemoryError: refused += 1
    kept.clear()
kept = bytearray(30 << 20)
print(refused)`, 64, 'enomem')).toMatchObject({ stdout: '3\n', exit: { code: 0 }, killed: false });
  });

  it('ends one process, and the others go on with what it had', async () => {
    expect(await python(`
import os, time
def child(mib, then):
    pid = os.fork()
    if pid == 0:
        b = bytearray(mib << 20); then(); os._exit(0)
    return pid
pause = child(20, lambda: time.sleep(1))
time.sleep(0.2)
greedy = [os.waitpid(child(100, lambda: None), 0)[1] for _ in range(3)]
fitting = [os.waitpid(child(30, lambda: None), 0)[1] for _ in range(3)]
print(greedy, fitting, os.waitpid(pause, 0)[1])`, 80)).toMatchObject({ stdout: '[9, 9, 9] [0, 0, 0] 0\n', killed: false });
  });

  it('counts what a fork shares once, and what it no longer shares twice', async () => {
    const source = (child: string) => `
import os, time
b = bytearray(40 << 20)
pid = os.fork()
if pid == 0:
    ${child}
    time.sleep(0.4); os._exit(0)
print(os.waitpid(pid, 0)[1])`;
    expect(await python(source('pass'), 64)).toMatchObject({ stdout: '0\n' });
    const { stdout, exit } = await python(source('for i in range(0, len(b), 4096): b[i] = 1'), 64);
    expect(stdout === '9\n' || exit.signal === 9).toBe(true); // both grow: whichever it was
  });

  it('lets a program with much memory start others', async () => {
    expect(await python(`
import subprocess
b = bytearray(40 << 20)
for _ in range(20): subprocess.run(['/bin/sleep', '0.01'], check=True)
print('done')`, 64)).toMatchObject({ stdout: 'done\n' });
  });

  it('never ends a small program, however often it is executed', async () => {
    expect(await run(['/bin/sh', '-c', 'i=0; while [ $i -lt 60 ]; do /bin/sleep 0 || exit 3; i=$((i+1)); done; echo done'], 4))
      .toMatchObject({ stdout: 'done\n', exit: { code: 0 } });
  });
});

describe.skipIf(!hasPython)('the memory limit and memory without a request [needs python3, Linux 5.14]', () => {
  it.each([
    ['a memfd', 'f = os.memfd_create("a")\nfor i in range(200): os.write(f, bytes(1 << 20))'],
    ['shared pages', 'm = mmap.mmap(-1, 200 << 20)'],
    ['pages without reserve', 'm = mmap.mmap(-1, 200 << 20, flags=0x4022)\nfor i in range(0, len(m), 4096): m[i] = 1'],
    ['private pages of a file', 'm = mmap.mmap(os.open("/dev/zero", 2), 200 << 20, flags=2)\nfor i in range(0, len(m), 4096): m[i] = 1'],
  ])('sees %s', async (_, source) => {
    const { peakMib, ...result } = await python(`import mmap, os\n${source}\nprint("written")`, 64);
    expect(result).toMatchObject(ENDED);
    expect(peakMib).toBeLessThan(180);
    expect(await python(`import mmap, os\n${source}\nprint("written")`, 512)).toMatchObject({ stdout: 'written\n' });
  });

  it('counts a memfd once that is open and mapped, in several processes', async () => {
    expect(await python(`
import mmap, os, time
f = os.memfd_create("a"); os.ftruncate(f, 40 << 20)
m = mmap.mmap(f, 40 << 20)
for i in range(0, len(m), 4096): m[i] = 1
for _ in range(3):
    if os.fork() == 0:
        for i in range(0, len(m), 4096): m[i] = 2
        time.sleep(0.3); os._exit(0)
print([os.wait()[1] for _ in range(3)])`, 80)).toMatchObject({ stdout: '[0, 0, 0]\n' });
  });
});

describe.skipIf(!hasGcc)('the memory limit and hard cases [needs gcc, Linux 5.14]', () => {
  it.each(['reserve', 'fixed', 'small', 'stack', 'threads', 'crowded', 'outlived', 'own_table', 'unshared_table'])('ends what passes it and nothing else: %s', async (mode) => {
    // It is measured every few milliseconds, in which a machine that is quick, or busy with something else, goes on.
    const { peakMib, ...result } = await inC(mode, 800, 64);
    expect(result).toMatchObject(ENDED);
    expect(peakMib).toBeLessThan(500);
    expect(await inC(mode, 40, 64)).toMatchObject({ stdout: 'done\n', killed: false });
  });

  it('holds while sixteen children of four threads grow at once, and some of them live', async () => {
    const { stdout, peakMib } = await inC('forks', 16 * 12, 100);
    const killed = Number(/^killed=(\d+)/.exec(stdout)?.[1]);
    expect(killed).toBeGreaterThan(0);
    expect(killed).toBeLessThan(16);
    expect(peakMib).toBeLessThan(180);
    expect((await inC('forks', 16 * 4, 100)).stdout).toBe('killed=0\ndone\n');
  });

  it('lets no huge page stay in a pipe when it is in no process any more', async () => {
    expect(await inC('spliced', 200, 64)).toMatchObject({ stdout: '', stderr: 'vmsplice: Function not implemented\n', exit: { code: 4 } });
    expect(spawnSync(program, ['spliced', '32'], { encoding: 'utf8' })).toMatchObject({ stdout: 'done\n', stderr: '' });
  });

  it('takes back what is freed, and what ended processes had', async () => {
    expect(await inC('again', 40, 64)).toMatchObject({ stdout: 'done\n', killed: false });
  });

  it('counts memory once that a child of vfork has borrowed', async () => {
    expect(await inC('borrowed', 40, 64)).toMatchObject({ stdout: 'done\n', killed: false });
  });

  it('never counts what the kernel refused', async () => {
    expect(await inC('failing', 40, 64)).toMatchObject({ stdout: 'done\n', killed: false });
  });

  it('asks about few calls', async () => {
    const { calls } = await run(['/bin/sh', '-c', 'gcc --version > /dev/null; echo done'], 256);
    expect((calls['mmap'] ?? 0) + (calls['brk'] ?? 0) + (calls['mremap'] ?? 0)).toBeLessThan(60);
    expect(Object.keys(calls).sort()).not.toContain('munmap');
  });
});

describe.skipIf(!hasPython)('usedBytes [needs python3, Linux 5.14]', () => {
  it('says what is in use', async () => {
    let family!: MemoryFamily;
    const sandboxed = new Sandboxed(['/usr/bin/python3', '-I', '-c', 'import time\nb = bytearray(30 << 20)\nprint("now", flush=True)\ntime.sleep(20)'],
      (guardPid) => [family = memory({ limitBytes: 64 * MIB, members: new ProcessTree(guardPid) })]);
    await sandboxed.supervisor;
    await vi.waitFor(() => { expect(rssMib(sandboxed.targetPid)).toBeGreaterThan(30); }, { timeout: 10_000 });
    await vi.waitFor(() => { expect(family.usedBytes() / MIB).toBeGreaterThan(30); }, { timeout: 2_000 });
    expect(family.usedBytes() / MIB).toBeLessThan(45);
  });
});

function rssMib(pid: number): number {
  return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
}

describe.skipIf(!hasPython)('the memory limit while the threads that read for it are busy [needs python3, Linux 5.14]', () => {
  /** Six processes share 30 MiB, so that counters alone are too much; what one uses from then on is asked of nobody. */
  const sharing = (go: string, mib: number, seconds: number): string => `
import mmap, os, time
def use(mib):
    kept = mmap.mmap(-1, mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000) # MAP_NORESERVE
    for at in range(0, mib << 20, 4096): kept[at] = 1
    return kept
kept = use(30)
children = []
for _ in range(5):
    children.append(os.fork())
    if children[-1] == 0:
        time.sleep(60)
        os._exit(0)
while not os.path.exists(${JSON.stringify(go)}): time.sleep(0.01)
more = use(${mib})
time.sleep(${seconds})
for pid in children: os.kill(pid, 9)
print("written")`;

  let directory: string;
  beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'sandlock-memory-')); });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('ends who passes it meanwhile', async () => {
    const fifo = join(directory, 'fifo');
    const go = join(directory, 'go');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    let family!: MemoryFamily;
    const sandboxed = new Sandboxed(['/usr/bin/python3', '-I', '-c', sharing(go, 300, 60)], (guardPid) => [
      family = memory({ limitBytes: 150 * MIB, members: new ProcessTree(guardPid) })]);
    await sandboxed.supervisor;
    family.watch();
    const children = (): number => readFileSync(`/proc/${sandboxed.targetPid}/task/${sandboxed.targetPid}/children`, 'latin1').trim().split(' ').length;
    await vi.waitFor(() => { expect(children()).toBe(5); }, 10_000);
    // An open for reading waits for a writer, and has its thread of the pool as long.
    const stalled = Array.from({ length: 8 }, async () => await promises.open(fifo, constants.O_RDONLY));
    writeFileSync(go, '');
    try {
      await vi.waitFor(() => { expect(family.killed(sandboxed.targetPid)).toBe(true); }, 10_000);
    } finally {
      const writer = openSync(fifo, constants.O_RDWR);
      for (const handle of await Promise.all(stalled)) await handle.close();
      closeSync(writer);
    }
  });

  it('lets the same use what fits when they are not', async () => {
    const go = join(directory, 'at-once');
    writeFileSync(go, '');
    expect(await python(sharing(go, 20, 0), 150)).toMatchObject({ stdout: 'written\n', killed: false });
  });
});
