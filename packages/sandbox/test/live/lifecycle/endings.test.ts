import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { box, isLiving, marked, members, newMark, processState, python, sleep, until, untilSaid } from './support.js';

const sandbox = box();
const sh = (script: string, ...more: string[]) => ['/bin/sh', '-c', script, ...more];

describe('an exit', () => {
  it.each([0, 1, 126, 127, 128, 255])('with code %i is a result', async (code) => {
    const result = await sandbox.run(sh(`exit ${code}`));
    expect(result).toMatchObject({ ok: code === 0, exitCode: code, signal: null, reason: 'exited' });
  });

  it.each(['SIGTERM', 'SIGSEGV', 'SIGPIPE', 'SIGUSR1', 'SIGHUP'])('by %s is a result', async (signal) => {
    const result = await sandbox.run(sh(`kill -${signal.slice(3)} $$`));
    expect(result).toMatchObject({ ok: false, exitCode: null, signal, reason: 'signaled' });
  });

  it('by SIGKILL is `killed`', async () => {
    expect(await sandbox.run(sh('kill -KILL $$'))).toMatchObject({ exitCode: null, signal: 'SIGKILL', reason: 'killed' });
  });

  it('by a real-time signal has a name', async () => {
    const { signal } = await sandbox.run([python, '-c', 'import os; os.kill(os.getpid(), 40)']);
    expect(signal).toBe('SIGRTMIN+6');
  });

  it('tells time and memory used', async () => {
    const result = await sandbox.run([python, '-c', 'x = bytearray(80_000_000)\nfor i in range(2_000_000): pass']);
    expect(result.peaks.memoryBytes).toBeGreaterThan(80_000_000);
    expect(result.cpu.userMs).toBeGreaterThan(10);
    expect(result.durationMs).toBeGreaterThan(10);
  });
});

describe('a script for the shell', () => {
  it('is run as it is, with input and options', async () => {
    const result = await sandbox.runShell('cat; echo "$GIVEN" | tr a-z A-Z; echo wrong >&2; exit 3', { input: 'read ', env: { GIVEN: 'it\'s' } });
    expect([result.text(), String(result.stderr), result.exitCode]).toEqual(['read IT\'S', 'wrong\n', 3]);
    await expect(sandbox.runShell('exit 4', { check: true })).rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXIT' });
    await expect(sandbox.runShell(['ls'] as unknown as string)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_CONFIG', issues: [{ path: 'cmd[2]' }] });
  });
});

describe('check', () => {
  it('rejects with an ExitError that holds the result', async () => {
    await expect(sandbox.run(sh('echo out; exit 3'), { check: true })).rejects.toMatchObject({
      name: 'ExitError', code: 'ERR_SANDLOCK_EXIT', result: { exitCode: 3, stdout: Buffer.from('out\n') },
    });
  });

  it('resolves for exit code 0', async () => {
    expect(await sandbox.run(sh('exit 0'), { check: true })).toMatchObject({ ok: true });
  });
});

describe('a timeout', () => {
  it.each([0, 0.2, 1])('of %d ms ends at once', async (timeout) => {
    const result = await sandbox.run(['/bin/sleep', '100'], { timeout });
    expect(result).toMatchObject({ ok: false, reason: 'timeout', exitCode: null });
    expect(result.durationMs).toBeLessThan(5000);
  });

  it('that is not reached changes nothing', async () => {
    expect(await sandbox.run(sh('echo hi'), { timeout: 20_000 })).toMatchObject({ reason: 'exited', ok: true });
  });

  it('keeps the output so far', async () => {
    const result = await sandbox.run(sh('echo out; echo err >&2; exec sleep 100'), { timeout: 1000 });
    expect(result).toMatchObject({ reason: 'timeout', stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n') });
  });

  it('with grace lets a program end itself after SIGTERM', async () => {
    const result = await sandbox.run(sh('trap "echo bye; exit 5" TERM; echo hi; sleep 100 & wait'), { timeout: 1000, killGrace: 20_000 });
    expect(result).toMatchObject({ reason: 'timeout', exitCode: 5, ok: false });
    expect(result.stdout.toString()).toBe('hi\nbye\n');
    expect(result.durationMs).toBeLessThan(15_000);
  });

  it('with grace ends a program that ignores SIGTERM', async () => {
    const result = await sandbox.run(sh('trap "" TERM; echo hi; while :; do sleep 0.1; done'), { timeout: 700, killGrace: 300 });
    expect(result).toMatchObject({ reason: 'timeout', signal: 'SIGKILL' });
    expect(result.durationMs).toBeGreaterThanOrEqual(990);
  });

  it('ends a program that is paused', async () => {
    const child = await sandbox.spawn(['/bin/sleep', '100'], { timeout: 1000, killGrace: 100 });
    child.pause();
    expect(await child.wait()).toMatchObject({ reason: 'timeout' });
  });

  it('ends one that was created and never started', async () => {
    const child = await sandbox.create(['/bin/sleep', '100'], { timeout: 300 });
    expect(await child.wait()).toMatchObject({ reason: 'timeout' });
  });
});

describe('an AbortSignal', () => {
  it('that was aborted before starts nothing', async () => {
    const mark = newMark();
    await expect(sandbox.run(sh('exec sleep 100', mark), { signal: AbortSignal.abort(new Error('no')) }))
      .rejects.toMatchObject({ name: 'AbortError', cause: { message: 'no' } });
    expect(marked(mark)).toEqual([]);
  });

  it('ends a run', async () => {
    const controller = new AbortController();
    const mark = newMark();
    const run = sandbox.run(sh('sleep 100 & wait', mark), { signal: controller.signal });
    await until('it runs', () => marked(mark).length > 1);
    controller.abort(new Error('enough'));
    await expect(run).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'enough' } });
    expect(marked(mark)).toEqual([]);
  });

  it('in the turn of the start ends it', async () => {
    const controller = new AbortController();
    const run = sandbox.run(['/bin/sleep', '100'], { signal: controller.signal });
    controller.abort();
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('after the end changes nothing', async () => {
    const controller = new AbortController();
    const child = await sandbox.popen(sh('exit 4'), { signal: controller.signal });
    const result = await child.wait();
    controller.abort();
    expect(await child.wait()).toBe(result);
  });
});

describe('a process', () => {
  it('goes from created to started to ended', async () => {
    const child = await sandbox.create(sh('echo started'));
    expect(child.isRunning).toBe(true);
    await sleep(100);
    const waiting = child.wait();
    await child.start();
    expect((await waiting).stdout!.toString()).toBe('started\n');
    expect(child.isRunning).toBe(false);
    await expect(child.start()).rejects.toMatchObject({ code: 'ERR_SANDLOCK_ALREADY_RUNNING' });
  });

  it('does not run before its start', async () => {
    const child = await sandbox.create(sh('echo started'));
    let said = false;
    child.stdout!.on('data', () => { said = true; });
    await sleep(200);
    expect(said).toBe(false);
    await child.start();
    await child.wait();
    expect(said).toBe(true);
  });

  it('can be waited for twice, at once and afterwards', async () => {
    const child = await sandbox.popen(sh('echo once'));
    const [a, b] = await Promise.all([child.wait(), child.wait()]);
    expect([b, await child.wait()]).toEqual([a, a]);
    expect(a.stdout!.toString()).toBe('once\n');
  });

  it('is killed as often as one likes', async () => {
    const child = await sandbox.spawn(['/bin/sleep', '100']);
    await Promise.all([child.kill(), child.kill()]);
    await child.kill();
    expect(await child.wait()).toMatchObject({ reason: 'killed' });
    expect(() => child.signal('SIGTERM')).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_NOT_RUNNING' }));
    expect(() => child.pause()).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_NOT_RUNNING' }));
    expect(() => child.resume()).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_NOT_RUNNING' }));
  });

  it('tells that it runs and that it ended by events', async () => {
    const child = await sandbox.create(sh('exit 2'));
    const events = Promise.all([once(child, 'spawn'), once(child, 'exit')]);
    await child.start();
    expect((await events)[1]).toMatchObject([{ exitCode: 2 }]);
  });

  it('takes a signal for its group', async () => {
    const child = await sandbox.spawn(sh('trap "echo got; exit 9" USR1; echo on; while :; do sleep 0.05; done'));
    const { stdout } = child;
    await untilSaid(stdout!, 'on');
    const got = untilSaid(stdout!, 'got');
    child.signal('SIGUSR1');
    await got;
    expect(await child.wait()).toMatchObject({ exitCode: 9, stdout: null });
    expect(() => child.signal('SIGNOT' as NodeJS.Signals)).toThrow(TypeError);
  });
});

describe('pause', () => {
  const tree = sh('setsid sleep 100 & (setsid sh -c "sleep 101 & wait" &) ; echo on; exec sleep 102');

  async function withTree(): Promise<{ child: Awaited<ReturnType<typeof sandbox.spawn>>; pids: () => number[] }> {
    const mark = newMark();
    const child = await sandbox.spawn(tree, { env: { MARK: mark } });
    await untilSaid(child.stdout!, 'on');
    const pids = () => members(mark);
    await until('all are there', () => pids().length >= 4);
    return { child, pids };
  }

  it('stops every process, also those with a session of their own, and resume continues them', async () => {
    const { child, pids } = await withTree();
    child.pause();
    await until('all are stopped', () => pids().every((pid) => processState(pid) === 'T'));
    expect(child.isRunning).toBe(true);
    child.resume();
    await until('none is stopped', () => pids().every((pid) => processState(pid) !== 'T'));
    expect(pids().every(isLiving)).toBe(true);
    await child.kill();
    expect(pids()).toEqual([]);
  });

  it('tells by events', async () => {
    const { child } = await withTree();
    const stopped = once(child, 'stop');
    child.pause();
    expect(await stopped).toEqual([19]);
    const continued = once(child, 'continue');
    child.resume();
    await continued;
    await child.kill();
  });
});
