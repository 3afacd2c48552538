/** The time of day that starts at a moment of choice: what programs of every kind see of it, and how they wait. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sandbox, type RunResult, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, inContainer, isRoot } from './calls.js';

const hasPs = ['ps', 'uptime', 'top'].every((program) => existsSync(`/usr/bin/${program}`));
const hasPython = existsSync('/usr/bin/python3');
const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path));
const hasGcc = spawnSync('gcc', ['--version']).status === 0;
const optional = (path: string) => ({ path, optional: true });
const source = (name: string) => fileURLToPath(new URL(`../../targets/${name}`, import.meta.url));
const seconds = (date: string) => Date.parse(date) / 1000;

let directory: string;
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'sandlock-time-')));
  chmodSync(directory, 0o755);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function run(timeStart: string | undefined, cmd: readonly string[], options: SandboxOptions = {}): Promise<RunResult> {
  const box = new Sandbox({
    fsReadable: ['/usr', '/etc', '/proc', process.execPath, optional('/lib'), optional('/lib64'), optional('/bin'), directory], fsWritable: ['/dev/null'],
    ...(timeStart === undefined ? {} : { timeStart }), ...options,
  });
  return box.run(cmd, { timeout: 60_000 });
}

async function output(...args: Parameters<typeof run>): Promise<string> {
  const result = await run(...args);
  expect({ code: result.exitCode, signal: result.signal, stderr: String(result.stderr) }).toEqual({ code: 0, signal: null, stderr: '' });
  return String(result.stdout);
}

/** By a clock that the options say. */
const shown = (cmd: readonly string[], options: SandboxOptions) => output(undefined, cmd, options);

function built(name: string, command: readonly string[], env: Record<string, string> = {}): string {
  const file = join(directory, name);
  const [program, ...args] = command as [string, ...string[]];
  const { status, stderr } = spawnSync(program, [...args.slice(0, -1), '-o', file, args.at(-1)!], { encoding: 'utf8', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(stderr);
  return file;
}

/** Within the first seconds after the start. */
function expectNear(shown: number, start: string): void {
  expect(shown).toBeGreaterThanOrEqual(Math.floor(seconds(start)));
  expect(shown).toBeLessThan(seconds(start) + 20);
}

describeConfined('the time of day', () => {
  describe.each(['2000-06-15T12:00:00Z', '2040-06-15T12:00:00Z'])('from %s on', (start) => {
    const year = start.slice(0, 4);

    it('is that of date, of a shell, and of what a chain of programs starts', async () => {
      expect(await output(start, ['date', '-u', '+%F %H:%M'])).toBe(`${start.slice(0, 10)} 12:00\n`);
      expectNear(Number(await output(start, ['bash', '-c', 'echo $EPOCHSECONDS'])), start);
      const chain = 'date -u +%Y; env sh -c "exec env date -u +%Y"; (date -u +%Y); echo $(date -u +%Y); (setsid date -u +%Y) & wait';
      for (const noRandomizeMemory of inContainer ? [false] : [false, true]) { // there personality(2) is denied
        expect(await output(start, ['bash', '-c', chain], { noRandomizeMemory })).toBe(`${year}\n`.repeat(5));
      }
    });

    it('passes as ever, and sleep sleeps', async () => {
      const [before, after] = (await output(start, ['bash', '-c', 'echo $EPOCHREALTIME; sleep 0.2; echo $EPOCHREALTIME'])).split('\n').map(Number);
      expect(after! - before!).toBeGreaterThanOrEqual(0.2);
      expect(after! - before!).toBeLessThan(5);
    });

    it.skipIf(!hasPython)('is that of python, whose timeouts end in time [needs python3]', async () => {
      const program = `
import asyncio, json, os, queue, select, subprocess, sys, threading, time, datetime
def took(f):
    start = time.monotonic()
    try: f()
    except Exception: pass
    return time.monotonic() - start
lock = threading.Lock(); lock.acquire()
cond = threading.Condition()
def wait():
    with cond: cond.wait(0.1)
async def late(): await asyncio.wait_for(asyncio.sleep(9), 0.1)
r, w = os.pipe()
libc = __import__('ctypes').CDLL(None); libc.time.restype = __import__('ctypes').c_long
print(json.dumps({
  'seconds': [time.time(), time.time_ns() / 1e9, datetime.datetime.now(datetime.timezone.utc).timestamp(), time.clock_gettime(time.CLOCK_REALTIME),
    float(subprocess.run(['env', 'date', '+%s.%N'], capture_output=True).stdout), libc.time(None)],
  'took': [took(lambda: time.sleep(0.1)), took(lambda: lock.acquire(timeout=0.1)), took(wait), took(lambda: queue.Queue().get(timeout=0.1)),
    took(lambda: threading.Event().wait(0.1)), took(lambda: asyncio.run(asyncio.sleep(0.1))), took(lambda: asyncio.run(late())),
    took(lambda: select.select([r], [], [], 0.1)), took(lambda: subprocess.run(['sleep', '9'], timeout=0.1))],
}))`;
      const said = JSON.parse(await output(start, ['/usr/bin/python3', '-c', program])) as { seconds: number[]; took: number[] };
      for (const each of said.seconds) expectNear(each, start);
      for (const each of said.took) {
        expect(each).toBeGreaterThanOrEqual(0.099);
        expect(each).toBeLessThan(3);
      }
    });

    it('is that of node, whose timers run', async () => {
      const program = `const from = performance.now(); const date = Date.now();
const word = new Int32Array(new SharedArrayBuffer(4)); Atomics.wait(word, 0, 0, 100); const waited = performance.now() - from;
setTimeout(() => console.log(JSON.stringify([date / 1000, new Date().getUTCFullYear(), waited, performance.now() - from])), 100)`;
      const [date, fullYear, waited, fired] = JSON.parse(await output(start, [process.execPath, '-e', program])) as number[];
      expectNear(date!, start);
      expect(fullYear).toBe(Number(year));
      expect(waited).toBeGreaterThanOrEqual(99);
      expect(fired! - waited!).toBeGreaterThanOrEqual(99);
      expect(fired).toBeLessThan(5000);
    });

    it.skipIf(go === undefined)('is that of a program in Go, which has no C library [needs go]', async () => {
      const file = built('clock-go', [go!, 'build', source('clock.go')], {
        CGO_ENABLED: '0', GOFLAGS: '', GO111MODULE: 'off', ...(process.env['HOME'] === undefined ? { GOCACHE: join(directory, 'cache') } : {}),
      });
      const [now, raw, tookMs] = (await output(start, [file])).trim().split(' ').map(Number);
      expectNear(now!, start);
      expectNear(raw!, start);
      expect(tookMs).toBeGreaterThanOrEqual(100);
      expect(tookMs).toBeLessThan(5000);
    }, 240_000);

    it.skipIf(!hasGcc)('is that of a static program [needs gcc]', async () => {
      const file = built('clock-static', ['gcc', '-static', '-O1', source('clock.c')]);
      const shown = (await output(start, [file])).trim().split(' ').map(Number);
      expect(shown).toHaveLength(4);
      for (const each of shown) expectNear(each, start);
    });
  });

  it('is one for all runs of a sandbox, each from its own start', async () => {
    const start = '2010-01-01T00:00:00Z';
    const box = new Sandbox({ fsReadable: ['/usr', '/etc', optional('/lib'), optional('/lib64'), optional('/bin')], timeStart: start });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    for (const result of await Promise.all([box.run(['date', '+%s.%N']), box.run(['date', '+%s.%N'])])) {
      expect(Number(result.text())).toBeGreaterThanOrEqual(seconds(start));
      expect(Number(result.text())).toBeLessThan(seconds(start) + 1.1);
    }
  });

  it.skipIf(!hasPython)('stands still where it is told to, to the nanosecond, for every language [needs python3]', async () => {
    const start = '2001-02-03T04:05:06.123456789Z';
    const script = `date +%s.%N; /usr/bin/python3 -c "import time; print(time.time_ns())"; "$NODE" -e "console.log(Date.now())"; sleep 0.2; date +%s.%N`;
    const run = () => output(start, ['bash', '-c', script], { timeFrozen: true, env: { NODE: process.execPath } });
    const first = await run();
    expect(first).toBe('981173106.123456789\n981173106123456789\n981173106123\n981173106.123456789\n');
    expect(await run()).toBe(first);
    // Beside it: the same programs, with a clock that runs.
    const running = (await output(start, ['bash', '-c', script], { env: { NODE: process.execPath } })).split('\n');
    expect(new Set(running.slice(0, 4).map((line, i) => line === first.split('\n')[i]))).toEqual(new Set([false]));
  });

  it.skipIf(!hasPython)('is waited for where it stands still, and what does not depend on it goes on [needs python3]', async () => {
    const program = `
import ctypes, ctypes.util, os, threading, time
libc = ctypes.CDLL(None, use_errno=True)
class Timespec(ctypes.Structure): _fields_ = [('s', ctypes.c_long), ('ns', ctypes.c_long)]
def until(clock, ahead):
    at, from_ = time.clock_gettime_ns(clock) + ahead, time.monotonic()
    t = Timespec(at // 10**9, at % 10**9)
    return libc.clock_nanosleep(clock, 1, ctypes.byref(t), None), time.monotonic() - from_
# A sleep of real time first: a deadline is as far away as it is when it is waited for.
time.sleep(0.3)
for clock in (time.CLOCK_REALTIME, time.CLOCK_TAI): print(*until(clock, 10**8))
print(*until(time.CLOCK_REALTIME, -3600 * 10**9))
print(*until(time.CLOCK_MONOTONIC, 10**8))
took = time.monotonic(); threading.Event().wait(0.1); print(0, time.monotonic() - took)`;
    const lines = (await output('2010-01-01T00:00:00Z', ['/usr/bin/python3', '-c', program], { timeFrozen: true })).trim().split('\n').map((line) => line.split(' ').map(Number));
    expect(lines.map(([result]) => result)).toEqual([0, 0, 0, 0, 0]);
    const took = lines.map(([, seconds]) => seconds!);
    for (const each of [took[0]!, took[1]!, took[3]!, took[4]!]) expect(each).toBeGreaterThanOrEqual(0.099);
    for (const each of took) expect(each).toBeLessThan(5);
  });

  describe.each([
    ['runs', { timeStart: '2000-06-15T12:00:00Z' }], ['stands still', { timeStart: '2000-06-15T12:00:00Z', timeFrozen: true }], ['is the machine\'s', {}],
  ] as const)('in a sandbox whose clock %s', (_, time: { timeStart?: string; timeFrozen?: boolean }) => {
    const begins = time.timeStart === undefined ? undefined : seconds(time.timeStart);
    const machinesBoot = () => Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'latin1'))![1]);

    it.skipIf(!hasPs)('is what ps, uptime and top tell starts and ages of processes by [needs procps]', async () => {
      const script = `sleep 60 & sleep 1.3; date +%s; ps -o etimes= -p $!; ps -o lstart= -p $!; ps -o etime= -p $!; date +%s; uptime -s; ps aux; top -b -n1 | head -1; kill $!`;
      const lines = (await shown(['bash', '-c', script], { ...time, env: { TZ: 'UTC', TERM: 'dumb' } })).split('\n');
      const [before, elapsed, started, now, booted] = [
        Number(lines[0]), Number(lines[1]), Date.parse(`${lines[2]!} UTC`) / 1000, Number(lines[4]), Date.parse(`${lines[5]!}Z`) / 1000];
      const ownBoot = begins ?? machinesBoot();
      expect(Math.abs(booted - ownBoot)).toBeLessThanOrEqual(1);
      // Each is told a little later than the one before, in whole seconds; two of them are lost where a start is told: of the boot, and of it.
      expect(elapsed).toBeGreaterThanOrEqual(before - started - 2);
      expect(lines[3]!.trim()).toMatch(/^00:\d\d$/);
      const elapsedLater = Number(lines[3]!.trim().slice(3));
      expect(elapsedLater).toBeGreaterThanOrEqual(elapsed);
      expect(elapsedLater).toBeLessThanOrEqual(now - started + 1);
      if (time.timeFrozen === true) expect([elapsed, started, now]).toEqual([0, ownBoot, ownBoot]);
      else expect(elapsed).toBeGreaterThanOrEqual(1);
      expect(elapsed).toBeLessThan(60);
      if (begins === undefined) return;
      expectNear(started, time.timeStart!);
      const table = lines.slice(6, -2).map((line) => line.trim().split(/\s+/)); // USER PID %CPU %MEM VSZ RSS TTY STAT START TIME
      expect(table.map((row) => row[8])).toEqual(['START', ...table.slice(1).map(() => '12:00')]);
      expect(table.slice(1).map((row) => row[9])).toEqual(table.slice(1).map(() => expect.stringMatching(/^0:0\d$/) as string));
      expect(lines.at(-2)).toMatch(/^top - 12:00:\d\d up 0 min/);
    }, 60_000);

    // Elsewhere the supervisor may not look at such a program, which then gets nowhere.
    it.skipIf(!hasPython || !isRoot || inContainer)('is told by lines that say no more than the kernel does to who asks [needs root, no container, python3]', async () => {
      const hidden = join(directory, 'hidden');
      if (!existsSync(hidden)) copyFileSync('/usr/bin/sleep', hidden);
      chmodSync(hidden, 0o111); // who may not read it may not trace it either, and is shown no addresses
      const program = `
import json, subprocess, sys, time
def line(pid): return open('/proc/%s/stat' % pid).read()
child = subprocess.Popen([sys.argv[1], '60'])
while '(hidden) S' not in line(child.pid): assert child.poll() is None; time.sleep(0.01)
own, childs = (line(pid).rpartition(') ')[2].split(' ') for pid in ('self', child.pid))
child.kill(); child.wait()
addresses = [n - 3 for n in (26, 27, 28, 45, 46, 47, 48, 49, 50, 51)]
print(json.dumps([own[0], own[35 - 3], any(own[n] in '01' for n in addresses), sorted(set(childs[n] for n in addresses)), len(own), len(childs)]))`;
      expect(JSON.parse(await shown(['/usr/bin/python3', '-c', program, hidden], time))).toEqual(['R', '0', false, ['0', '1'], 50, 50]);
    }, 60_000);
  });

  it('is the machine\'s where nobody asked for another', async () => {
    const box = new Sandbox({ fsReadable: ['/usr', '/etc', optional('/lib'), optional('/lib64'), optional('/bin')] });
    expect(Math.abs(Number((await box.run(['date', '+%s'])).text()) - Date.now() / 1000)).toBeLessThan(20);
  });

  it.skipIf(!hasGcc)('is shown to a program that may not be read, or it is killed before it has seen another [needs gcc]', async () => {
    const start = '2000-06-15T12:00:00Z';
    const file = join(directory, 'unreadable');
    copyFileSync(built('clock-unreadable', ['gcc', '-static', '-O1', source('clock.c')]), file);
    chmodSync(file, 0o555);
    for (const each of (await output(start, [file])).trim().split(' ')) expectNear(Number(each), start);
    chmodSync(file, 0o111);
    const result = await run(start, [file]);
    if (isRoot && !inContainer) {
      // The supervisor may look at everything.
      for (const each of result.text().trim().split(' ')) expectNear(Number(each), start);
    } else {
      expect({ reason: result.reason, stdout: String(result.stdout) }).toEqual({ reason: 'killed', stdout: '' });
    }
  });
});
