/** Bad days: storms of processes, a supervisor that is stopped. Nothing hangs or leaks, and the counts are right after. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { box, inContainer, marked, newMark, python, targets, untilSaid } from './support.js';
import { openFds } from './targets/open-fds.mjs';

/** As long as it takes where nothing else waits; the other runs of this file look at what differs there. */
const STORM_SECONDS = inContainer || process.getuid!() !== 0 ? 5 : 30;
const LIMIT = 256;

describe('a sandbox', () => {
  it('comes through a storm of processes that fork and die at random, and counts right afterwards', async () => {
    const mark = newMark();
    await box().run(['/bin/true'], { input: '' }); // what stays open for all runs is open now
    const before = openFds();
    const child = await box({ maxProcesses: LIMIT }).popen([python, '-I', `${targets}/storm.py`, String(STORM_SECONDS), mark], { stdin: 'ignore', timeout: 120_000 });
    const { exitCode, reason, stdout, stderr, peaks } = await child.wait();
    expect({ exitCode, reason, stderr: String(stderr) }).toEqual({ exitCode: 0, reason: 'exited', stderr: '' });
    const [forks, , room] = String(stdout).trim().split(' ').map(Number);
    expect(forks).toBeGreaterThan(100);
    expect(room).toBe(LIMIT - 1);
    expect(peaks.processes).toBe(LIMIT);
    const { exceptions, unexpected, sendFailures, injectionFailures } = child.stats()!;
    expect({ exceptions, unexpected, sendFailures, injectionFailures }).toEqual({ exceptions: 0, unexpected: 0, sendFailures: 0, injectionFailures: 0 });
    expect(marked(mark)).toEqual([]);
    expect(openFds()).toBe(before);
  }, 150_000);

  it('waits for a supervisor that was stopped for five seconds, and goes on', async () => {
    const supervisor = spawn(process.execPath, [`${targets}/stopped.mjs`, python], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let said = '';
      supervisor.stdout.on('data', (data) => { said += String(data); });
      await untilSaid(supervisor.stdout, 'ready');
      supervisor.kill('SIGSTOP');
      await new Promise((resolve) => { setTimeout(resolve, 5000); });
      supervisor.kill('SIGCONT');
      expect(await once(supervisor, 'close')).toEqual([0, null]);
      const result = JSON.parse(said.trim().split('\n').at(-1)!) as { exitCode: number; reason: string; stdout: string; processes: number; stats: { exceptions: number } };
      expect(result).toMatchObject({ exitCode: 0, reason: 'exited', stdout: expect.stringMatching(/ready\n\d+ True\n$/), stats: { exceptions: 0 } });
      expect(result.processes).toBeLessThanOrEqual(3);
    } finally {
      supervisor.kill('SIGKILL');
    }
  }, 90_000);
});
