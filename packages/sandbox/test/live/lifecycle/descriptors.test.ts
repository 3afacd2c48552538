import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';

import { openFds } from './targets/open-fds.mjs';
import { box, python, targets } from './support.js';

const listing = [python, `${targets}/descriptors.py`];
const PIPES = '0 pipe blocking\n1 pipe blocking\n2 pipe blocking\n';
const folder = mkdtempSync(join(tmpdir(), 'descriptors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A supervisor with further descriptors that stay open over exec: python starts it, since Node closes its own. */
function crowded(count: number, prepare: string): string[] {
  const report = join(folder, `${Math.random()}`);
  const script = `import os, sys\n${prepare}\nos.execv(sys.argv[1], sys.argv[1:])`;
  const { status, error } = spawnSync(python, ['-c', script, process.execPath, `${targets}/crowded.mjs`, String(count), python, targets], {
    env: { ...process.env, REPORT: report }, stdio: ['ignore', 'ignore', 'inherit'], timeout: 25_000,
  });
  expect(error).toBeUndefined();
  expect(status).toBe(0);
  return JSON.parse(readFileSync(report, 'utf8')) as string[];
}

const openAt = (...numbers: number[]) => numbers.map((n) => `os.dup2(os.open('/dev/null', os.O_RDWR), ${n}, inheritable=True)`).join('\n');

describe('the descriptors of a program', () => {
  it('are three pipes that block, of those captured', async () => {
    const { stdout } = await box().run(listing, { input: '' });
    expect(stdout.toString()).toBe(PIPES);
  });

  it('are the same for each of 50 that start at once', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => box().run(listing, { input: '' })));
    expect(new Set(results.map(({ stdout }) => stdout.toString()))).toEqual(new Set([PIPES]));
  });

  it('are the same when the supervisor holds 7, 40 and 251 open over exec', () => {
    expect(crowded(1, openAt(7, 40, 251))).toEqual([PIPES]);
  });

  it('are the same for 20 at once when the supervisor holds every number from 3 to 90 open over exec', () => {
    expect(new Set(crowded(20, openAt(...Array.from({ length: 88 }, (_, i) => i + 3))))).toEqual(new Set([PIPES]));
  });

  it.each([[0], [1], [2], [0, 1], [0, 1, 2]])('are the same when the supervisor has %j closed', (...closed) => {
    expect(crowded(2, closed.map((fd) => `os.close(${fd})`).join('\n'))).toEqual([PIPES, PIPES]);
  });

  it('are those asked for, by their numbers', async () => {
    const fds = [openSync('/dev/null', 'r'), openSync('/etc/passwd', 'r')] as const;
    const { stdout } = await box().run(listing, { input: '', fds: { 5: fds[0], 31: fds[1], 3: fds[1] } });
    expect(stdout.toString()).toBe(`${PIPES}3 other blocking\n5 device blocking\n31 other blocking\n`);
    fds.forEach((fd) => closeSync(fd));
  });

  it('share the file that a number was given for', async () => {
    const fd = openSync('/etc/passwd', 'r');
    const child = await box().popen(['/bin/cat'], { stdin: fd });
    expect((await child.wait()).stdout!.toString()).toBe(readFileSync('/etc/passwd', 'utf8'));
    closeSync(fd);
  });

  it('are /dev/null where ignored', async () => {
    const child = await box().popen([...listing, 'stderr'], { stdin: 'ignore', stdout: 'ignore' });
    expect((await child.wait()).stderr!.toString()).toBe('0 device blocking\n1 device blocking\n2 pipe blocking\n');
  });

  it('block where a stream of the supervisor did not', async () => {
    // libuv sets O_NONBLOCK on the description, which the program shares when it inherits.
    const sleeper = spawn(python, ['-c', 'import time; time.sleep(30)'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const fd = (sleeper.stdin as unknown as { _handle: { fd: number } })._handle.fd;
    const { stdout } = await box().run(listing, { input: '', fds: { 4: fd } });
    expect(stdout.toString()).toMatch(/^4 (socket|pipe) /m);
    sleeper.kill('SIGKILL');
    await once(sleeper, 'exit');
  });
});

describe('the descriptors of a supervisor', () => {
  const worker = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}).then(async ({ Sandbox }) => {
      const sandbox = new Sandbox({ fsReadable: ['/usr', '/etc', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))] });
      globalThis.children = [await sandbox.spawn(['sleep', '100']), await sandbox.spawn(['sleep', '100']), await sandbox.spawn(['sleep', '100'])];
      children[0].wait();
      children[1].stdout.resume();
      parentPort.postMessage('begun');
    });`;

  /** @returns how many are open while it runs, and after it was ended */
  async function endedWorker(): Promise<[number, number]> {
    const thread = new Worker(worker, { eval: true });
    await once(thread, 'message');
    const during = openFds();
    await thread.terminate();
    return [during, openFds()];
  }

  it('are closed with the worker thread that it is in: of captured, taken and untaken pipes, and the listener', async () => {
    const [, before] = await endedWorker(); // of what a first worker leaves to the process
    const [during, after] = await endedWorker();
    expect(during).toBeGreaterThanOrEqual(before + 3 * 4);
    expect(after).toBe(before);
  });
});
