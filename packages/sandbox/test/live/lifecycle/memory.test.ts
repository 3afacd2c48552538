import { describe, expect, it } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { box, python } from './support.js';

const MIB = 2 ** 20;

/** Kept by the supervisor, also where the kernel could do it. */
const measured = (options: SandboxOptions) => box({ cgroup: 'none', ...options });

async function run(source: string, options: SandboxOptions) {
  const result = await measured(options).run([python, '-I', '-c', source], { input: '' });
  return { ...result, stdout: String(result.stdout), peakMib: result.peaks.memoryBytes / MIB };
}

describe('maxMemory', () => {
  it('is the reason when it ends the program, and nothing was written', async () => {
    const { reason, signal, ok, stdout, peakMib } = await run('b = bytearray(200 << 20); print("written")', { maxMemory: '64M' });
    expect({ reason, signal, ok, stdout }).toEqual({ reason: 'memory', signal: 'SIGKILL', ok: false, stdout: '' });
    expect(peakMib).toBeLessThan(64);
  });

  it('is the reason also when it is passed without a request', async () => {
    const source = (mib: number) => (
      `import mmap\nm = mmap.mmap(-1, ${mib} << 20, flags=0x4022)\nfor i in range(0, len(m), 4096): m[i] = 1\nprint("written")`);
    // As long as a supervisor that gets no processor for a while may take to notice.
    expect(await run(source(1024), { maxMemory: '64M' })).toMatchObject({ reason: 'memory', stdout: '' });
    expect(await run(source(200), { maxMemory: '512M' })).toMatchObject({ reason: 'exited', stdout: 'written\n' });
  });

  it('is no reason when another process is ended, or the program by somebody else', async () => {
    const child = 'import os\npid = os.fork()\nif pid == 0: b = bytearray(200 << 20); os._exit(0)\nprint(os.waitpid(pid, 0)[1])';
    expect(await run(child, { maxMemory: '64M' })).toMatchObject({ reason: 'exited', stdout: '9\n' });
    expect(await run('import os; os.kill(os.getpid(), 9)', { maxMemory: '64M' })).toMatchObject({ reason: 'killed' });
  });

  it('fails what does not fit with ENOMEM on request', async () => {
    const source = 'try: b = bytearray(200 << 20)\nexcept MemoryError: print("refused")';
    expect(await run(source, { maxMemory: '64M', onMemoryExceeded: 'enomem' })).toMatchObject({ reason: 'exited', stdout: 'refused\n' });
  });

  it('counts all processes together, and says how much that was', async () => {
    const source = `
import os, time
for _ in range(3):
    if os.fork() == 0: b = bytearray(20 << 20); time.sleep(0.5); os._exit(0)
print(sorted(os.wait()[1] for _ in range(3)))`;
    expect((await run(source, { maxMemory: '50M' })).stdout).toMatch(/^\[0, [09], 9\]\n$/);
    const { stdout, peakMib } = await run(source, { maxMemory: '256M' });
    expect(stdout).toBe('[0, 0, 0]\n');
    expect(peakMib).toBeGreaterThan(60);
    expect(peakMib).toBeLessThan(160);
  });

  it('lets runtimes start that reserve far more than they use', async () => {
    const { stdout, reason } = await measured({ maxMemory: '128M' }).run([process.execPath, '-e', 'console.log(1)'], { input: '' });
    expect([String(stdout), reason]).toEqual(['1\n', 'exited']);
  });
});
