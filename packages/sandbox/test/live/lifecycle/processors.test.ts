import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { box, grants, python } from './support.js';

async function run(source: string, options: SandboxOptions, ...args: string[]): Promise<unknown> {
  const { stdout, stderr, exitCode } = await box(options).run([python, '-I', '-c', `import os, sys, json\n${source}`, ...args], { input: '' });
  expect([String(stderr), exitCode]).toEqual(['', 0]);
  return JSON.parse(String(stdout)) as unknown;
}

const TRY = `
def attempt(pid, cpus):
    try: os.sched_setaffinity(pid, cpus)
    except OSError as error: return os.strerror(error.errno)
    return sorted(os.sched_getaffinity(0))
`;
const WIDEN = `${TRY}print(json.dumps([attempt(0, range(64)), attempt(os.getpid(), range(64)), attempt(0, [5000 % 512 + 512])]))`;
const readable = grants.fsReadable!;
const last = cpus().length - 1;

describe.skipIf(last < 1)('cpuCores [needs 2 processors]', () => {
  it('cannot be widened, and may be narrowed', async () => {
    expect(await run(WIDEN, { cpuCores: [last] })).toEqual([[last], [last], 'Invalid argument']);
    expect(await run(`${TRY}print(json.dumps([attempt(0, [0]), attempt(0, range(64))]))`, { cpuCores: [0, last] })).toEqual([[0], [0, last]]);
  });

  it('cannot be changed at all without a supervisor', async () => {
    expect(await run(WIDEN, { cpuCores: [last], noSupervisor: true })).toEqual(Array(3).fill('Operation not permitted'));
    expect(await run(`${TRY}print(json.dumps(attempt(0, [0])))`, { noSupervisor: true })).toEqual([0]);
  });

  it('reaches nobody outside', async () => {
    const stranger = spawn('/bin/sleep', ['30']);
    const allowed = () => /^Cpus_allowed:.*/m.exec(readFileSync(`/proc/${stranger.pid!}/status`, 'latin1'))?.[0];
    try {
      const before = allowed();
      expect(await run(`${TRY}print(json.dumps([attempt(int(sys.argv[1]), [${last}]), attempt(os.getppid(), [${last}])]))`,
        { cpuCores: [last] }, String(stranger.pid))).toEqual(['No such process', 'No such process']);
      expect(allowed()).toBe(before);
    } finally {
      stranger.kill('SIGKILL');
    }
  });
});

describe('numCpus', () => {
  const COUNT = `
info = open('/proc/cpuinfo').read().count('processor\\t:')
nproc = os.popen('nproc').read()
print(json.dumps([info, int(nproc), len(os.sched_getaffinity(0)), os.cpu_count()]))`;

  it('is what nproc, /proc/cpuinfo and a runtime count', async () => {
    for (const numCpus of [1, 3]) expect(await run(COUNT, { numCpus, fsReadable: [...readable, '/sys'] })).toEqual(Array(4).fill(numCpus));
  });

  it.skipIf(last < 1)('is no more than the granted cores [needs 2 processors]', async () => {
    expect(await run(COUNT, { numCpus: 3, cpuCores: [last], fsReadable: [...readable, '/sys'] })).toEqual(Array(4).fill(1));
  });
});

describe('gpuDevices', () => {
  it('fails the start where one is missing, or all of them', async () => {
    await expect(box({ gpuDevices: [900] }).run(['/bin/true'])).rejects.toMatchObject({
      code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: 'gpuDevices', message: expect.stringContaining('/dev/nvidia900') }],
    });
    const all = () => box({ gpuDevices: 'all' }).run(['/bin/true'], { input: '' });
    if (['/dev/dri', '/dev/nvidia0'].some((path) => existsSync(path))) expect((await all()).ok).toBe(true);
    else await expect(all()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: 'gpuDevices' }] });
  });
});
