/** Timestamps of files by the sandbox's calendar: shown and set by every call, with the program's own rights. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, isRoot } from './calls.js';

const hasGcc = spawnSync('gcc', ['--version']).status === 0;
const hasMake = spawnSync('make', ['--version']).status === 0;
const optional = (path: string) => ({ path, optional: true });
const system = ['/usr', '/etc', optional('/lib'), optional('/lib64'), optional('/bin')];
const START = '2001-02-03T04:05:06.7Z';
const startNs = BigInt(Date.parse(START)) * 1_000_000n;
const SECOND = 1_000_000_000n;

// Some start a dozen sandboxes, one after the other.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let directory: string;
let program: string;
/** Where a test works: `mine`, `directory`, `link`, `loop`. */
let work: string;
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'sandlock-file-times-')));
  chmodSync(directory, 0o755);
  program = join(directory, 'file-times');
  if (!hasGcc) return;
  const source = fileURLToPath(new URL('../../targets/file-times.c', import.meta.url));
  const { status, stderr } = spawnSync('gcc', ['-O1', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  work = mkdtempSync(join(directory, 'work-'));
  writeFileSync(join(work, 'mine'), 'mine');
  mkdirSync(join(work, 'directory'));
  symlinkSync('mine', join(work, 'link'));
  symlinkSync('loop', join(work, 'loop'));
});

async function output(argv: readonly string[], options: SandboxOptions = {}): Promise<string> {
  const box = new Sandbox({ fsReadable: [...system, directory, '/proc'], fsWritable: [work], cwd: work, timeStart: START, shiftFileTimes: true, ...options });
  const result = await box.run(argv, { timeout: 60_000 });
  expect({ code: result.exitCode, stderr: String(result.stderr) }).toEqual({ code: 0, stderr: '' });
  return String(result.stdout);
}

/** The lines `name value` that the program prints. */
const values = (text: string) => new Map(text.trim().split('\n').map((line): [string, bigint] => {
  const at = line.lastIndexOf(' ');
  return [line.slice(0, at), BigInt(line.slice(at + 1))];
}));
const run = async (args: readonly string[], options: SandboxOptions = {}) => values(await output([program, ...args], options));
/** The same beside the sandbox. */
const outside = (...args: string[]) => values(spawnSync(program, args, { cwd: work, encoding: 'utf8' }).stdout);
const machines = (path: string) => statSync(path, { bigint: true }).mtimeNs;

describeConfined('the times of files', () => {
  it.skipIf(!hasGcc)('are shown by every call as the clock is, and by every name [needs gcc]', async () => {
    const shown = await run(['show', 'mine']);
    const first = shown.get('statx')!;
    expect([...shown.keys()].length).toBeGreaterThanOrEqual(process.arch === 'x64' ? 12 : 10);
    for (const [call, ns] of shown) expect(ns, call).toBe(first);
    // It was made a moment before the sandbox's clock began, and is as far off as that: less than a microsecond where both
    // were within one tick of the clock of files.
    expect(first).toBeLessThan(startNs + 1_000n);
    expect(first).toBeGreaterThan(startNs - 60n * SECOND);
    const old = join(work, 'old');
    writeFileSync(old, '');
    utimesSync(old, 500_000_000, 500_000_000);
    const [away] = [machines(join(work, 'mine')) - first];
    const asOld = (await run(['show', 'old'])).get('fstat')!;
    // Each run has a start of its own.
    expect(machines(old) - asOld - away).toBeGreaterThan(0n);
    expect(machines(old) - asOld - away).toBeLessThan(60n * SECOND);
    // Beside it: without the option they are the machine's.
    expect((await run(['show', 'mine'], { shiftFileTimes: false })).get('stat') ?? machines(join(work, 'mine'))).toBe(machines(join(work, 'mine')));
  });

  it.skipIf(!hasGcc)('are what a program sets, by every call, and kept as the machine\'s [needs gcc]', async () => {
    const [before, expected] = [BigInt(Date.now()) * 1_000_000n, outside('set')];
    expect(expected.get('nowIsNow')).toBe(1n);
    expect(await run(['set'])).toEqual(expected);
    expect(machines(join(work, 'mine'))).toBeGreaterThan(before - SECOND); // the last was now
    await output(['touch', '-d', START, 'mine']);
    const kept = machines(join(work, 'mine')) - BigInt(Date.now()) * 1_000_000n;
    expect(kept > -60n * SECOND && kept <= 0n).toBe(true); // the moment that the sandbox began
  });

  it.skipIf(!hasGcc)('are refused as the kernel refuses them, wherever an argument is wrong [needs gcc]', async () => {
    expect(await run(['errors'])).toEqual(outside('errors'));
  });

  it('agree with the clock, for tools that compare the two', async () => {
    const script = `
now=$(date +%s%N); touch new; after=$(date +%s%N); made=$(stat -c %.Y new | tr -d .)
[ $((made / 1000)) -ge $((now / 1000 - 20000)) ] && [ $made -le $after ] && echo new
touch -d '2000-03-04 05:06:07.123456789 UTC' set; stat -c %.Y set
cp -p set copied; stat -c %.Y copied; touch -r set referred; stat -c %.Y referred
tar cf archive.tar set; rm set; tar xf archive.tar; stat -c %Y set; tar tvf archive.tar --utc | grep -o '2000-03-04 05:06'
find . -newermt '2001-02-03 04:00:00 UTC' -not -newermt '2001-02-03 05:00:00 UTC' -name new
date -u -r copied +%F; [ new -nt copied ] && [ ! copied -nt new ] && echo newer`;
    expect(await output(['bash', '-c', script], { env: { LC_ALL: 'C' } })).toBe([
      'new', '952146367.123456789', '952146367.123456789', '952146367.123456789', '952146367', '2000-03-04 05:06', './new', '2000-03-04', 'newer', '',
    ].join('\n'));
  });

  it.skipIf(!hasMake)('agree with the clock for make, which complains without [needs make]', async () => {
    writeFileSync(join(work, 'Makefile'), 'made: mine\n\tcp mine made\n');
    const box = (shiftFileTimes: boolean) => new Sandbox({ fsReadable: [...system, directory], fsWritable: [work], cwd: work, timeStart: START, shiftFileTimes });
    expect(String((await box(true).run(['make'])).stderr)).toBe('');
    expect((await box(true).run(['make'])).text()).toContain('up to date');
    rmSync(join(work, 'made'));
    expect(String((await box(false).run(['make'])).stderr)).toContain('Clock skew');
  });

  it('stand still with the clock, and are the same in every run', async () => {
    const script = 'echo a > one; mkdir two; cp one two/three; sleep 0.3; echo b >> one; touch two; stat -c "%n %.X %.Y %.Z %.W" one two two/three; ls -l --full-time one';
    const still = async () => {
      for (const each of ['one', 'two']) rmSync(join(work, each), { recursive: true, force: true });
      return output(['bash', '-c', script], { timeFrozen: true, env: { TZ: 'UTC' } });
    };
    const first = await still();
    expect(first).toContain('two/three 981173106.700000000 981173106.700000000 981173106.700000000');
    expect(first).toContain('2001-02-03 04:05:06.700000000');
    expect(await still()).toBe(first);
    expect(await output(['bash', '-c', 'touch -d "2000-01-01 UTC" past; touch -d "2040-01-01 UTC" ahead; stat -c %.Y past ahead'], { timeFrozen: true }))
      .toBe('946684800.000000000\n2208988800.000000000\n');
  });

  it('of files with a view begin with the clock', async () => {
    expect(await output(['stat', '-c', '%Y', '/proc/stat', '/proc/self/mounts'])).toBe(`${startNs / SECOND}\n`.repeat(2));
    expect(await output(['stat', '-c', '%Y', '/proc/stat'], { timeStart: '2001-02-03T04:05:06Z' })).toBe('981173106\n'); // and not a second before
  });
});

describeConfined('the times of files that are another\'s', () => {
  const EPERM = -1n;
  const EACCES = -13n;
  const ENOENT = -2n;
  const EXPLICIT_NS = 1_000_000_000n * SECOND;

  it.skipIf(!hasGcc)('are not set for who may not, and those of one\'s own are [needs gcc]', async () => {
    let other = '/etc/passwd';
    if (isRoot) {
      other = join(work, 'other');
      writeFileSync(other, '', { mode: 0o600 });
      chownSync(other, 12345, 12345);
    }
    const before = machines(other);
    const grants = { fsWritable: [work] };
    expect([...await run(['try', other], grants)]).toEqual([['stat', 0n], ['set', EPERM], ['now', EACCES]]);
    expect(machines(other)).toBe(before);
    // Beside it.
    expect([...await run(['try', 'mine'], grants)]).toEqual([['stat', 0n], ['set', 0n], ['now', 0n]]);
    expect((await run(['set'], grants)).get('utimensat')! - EXPLICIT_NS).toBeGreaterThan(0n);
  });

  it.skipIf(!hasGcc || !isRoot)('are not shown in a directory that may not be searched [needs gcc, root]', async () => {
    const closed = join(work, 'closed');
    mkdirSync(closed);
    writeFileSync(join(closed, 'file'), '');
    chownSync(closed, 12345, 12345);
    chmodSync(closed, 0o700);
    const before = machines(join(closed, 'file'));
    expect([...await run(['try', join(closed, 'file')])]).toEqual([['stat', EACCES], ['set', EACCES], ['now', EACCES]]);
    expect(machines(join(closed, 'file'))).toBe(before);
    chmodSync(closed, 0o711);
    expect([...await run(['try', join(closed, 'file')])]).toEqual([['stat', 0n], ['set', 0n], ['now', 0n]]);
  });

  it.skipIf(!hasGcc)('are not reached through a process outside, and are through one\'s own [needs gcc]', async () => {
    const secret = join(directory, 'secret');
    writeFileSync(secret, '');
    const fd = openSync(secret, 'r');
    try {
      const before = machines(secret);
      const names = [`/proc/${process.pid}/fd/${fd}`, `/proc/${process.pid}/root${secret}`, `/proc/${process.pid}/cwd`, `/proc/${process.pid}/task/${process.pid}/exe`];
      for (const name of names) {
        for (const [fsReadable, refused] of [[[...system, directory], EACCES], [[...system, directory, '/proc'], ENOENT]] as const) {
          const said = await run(['try', name], { fsReadable });
          expect(said.get('stat'), name).toBe(refused);
          // Views answer for stat(2) alone; the rest is the kernel's refusal.
          for (const call of ['set', 'now']) expect(said.get(call), name).toBe(EACCES);
        }
        const linked = join(work, 'to-outside');
        symlinkSync(name, linked);
        const said = await run(['try', linked], { fsReadable: [...system, directory] });
        rmSync(linked);
        expect([...said.values()], linked).toEqual([EACCES, EACCES, EACCES]);
      }
      expect(machines(secret)).toBe(before);
      for (const own of ['/proc/self/cwd/mine', '/proc/thread-self/root/' + join(work, 'mine'), '/proc/self/task/../cwd/link']) {
        expect([...(await run(['try', own])).values()], own).toEqual([0n, 0n, 0n]);
      }
    } finally {
      closeSync(fd);
      rmSync(secret);
    }
  });

  it.skipIf(!hasGcc)('are nobody\'s to set where nothing is writable [needs gcc]', async () => {
    const before = machines(join(work, 'mine'));
    const said = await run(['try', 'mine'], { fsWritable: [] });
    expect([...said]).toEqual([['stat', 0n], ['set', EPERM], ['now', EPERM]]);
    expect(machines(join(work, 'mine'))).toBe(before);
  });
});
