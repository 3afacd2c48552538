/**
 * A program that may be executed and not read: its memory and its directory in /proc are out of reach for a supervisor
 * without privileges. What depends on them is refused; nothing is let go on unseen, and nothing of the machine's is shown.
 */
import { chmodSync, copyFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { cString } from './bytes.js';
import { answers, call, compiled, describeConfined, inContainer, isRoot, said, scratch, script, step, type Answer, type Step } from './calls.js';

const AT_FDCWD = -100;
const O_WRONLY_CREAT = 0o101;
/** A supervisor that may look at every process: root, where its capabilities are left to it. */
const seesAll = isRoot && !inContainer;

async function run(mode: number, steps: readonly Step[], options: SandboxOptions = {}): Promise<Answer[] | 'ended'> {
  const folder = scratch();
  const file = join(folder, 'program');
  copyFileSync(compiled('calls'), file);
  chmodSync(file, mode);
  const box = new Sandbox({ name: 'seen', ...options, fsReadable: [folder, '/etc', '/proc', '/dev', ...options.fsReadable ?? []] });
  const result = await box.run([file], { input: script(steps), timeout: 30_000 });
  if (result.signal !== null) return 'ended';
  expect([result.reason, result.signal, result.exitCode, String(result.stderr)]).toEqual(['exited', null, 0, '']);
  return answers(String(result.stdout), steps);
}

const opened = (path: string) => call('openat', AT_FDCWD, cString(path), 0);
const steps: readonly Step[] = [
  // Views, /proc, a directory with a view in it; then what is read or written for other families.
  opened('/etc/hostname'), opened('/etc/hosts'), opened('/proc/self/status'), opened('/proc/version'), opened('/etc'),
  call('openat2', AT_FDCWD, cString('/etc/hostname'), Buffer.alloc(24), 24),
  call('newfstatat', AT_FDCWD, cString('/proc/1'), Buffer.alloc(256), 0),
  call('uname', Buffer.alloc(390)), call('sysinfo', Buffer.alloc(128)),
  // Files that no view is near are opened with the path unread elsewhere; here nobody can tell that it is one.
  opened('/etc/passwd'), call('openat', AT_FDCWD, cString('/etc/sandlock-test'), O_WRONLY_CREAT, 0o600),
];

describeConfined('a program that may not be read', () => {
  it('gets what every other program gets where the supervisor may look at it, and is refused where it may not', async () => {
    const readable = await run(0o555, steps) as Answer[];
    const all = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ENOENT', 'ok', 'ok', 'ok', 'EACCES'];
    expect(said(readable)).toEqual(all);
    const unreadable = await run(0o111, steps) as Answer[];
    expect(said(unreadable)).toEqual(seesAll ? all : steps.map(() => 'EACCES'));
    expect(unreadable[7]!.memory[0]!.includes(hostname())).toBe(false);
  }, 60_000);

  it('has its number of processes counted, and does not listen unasked', async () => {
    const options: SandboxOptions = { maxProcesses: 2, netAllowBind: ['1'] };
    const program = [step('sleeper'), step('sleeper'), call('socket', 2, 1, 0), call('listen', { step: 2 }, 1)];
    expect(said(await run(0o555, program, options) as Answer[])).toEqual(['ok', 'EAGAIN', 'ok', 'EACCES']);
    // In a container no copy of the socket can be had, and so there is none.
    expect(said(await run(0o111, program, options) as Answer[])).toEqual(['ok', 'EAGAIN', 'ok', seesAll || !inContainer ? 'EACCES' : 'EBADF']);
  }, 60_000);

  it('has its memory limited, and is not shown the machine\'s processors', async () => {
    const options: SandboxOptions = { maxMemory: '128M', onMemoryExceeded: 'enomem', numCpus: 1 };
    const program = [call('mmap', 0, 2 ** 20, 3, 0x22, -1, 0), call('mmap', 0, 2 ** 29, 3, 0x22, -1, 0), call('sched_getaffinity', 0, 128, Buffer.alloc(128))];
    expect(said(await run(0o555, program, options) as Answer[])).toEqual(['ok', 'ENOMEM', 'ok']);
    const unreadable = await run(0o111, program, options);
    // Nobody can tell where its heap ends, so it does not grow, and a C library that cannot begin ends its program.
    expect(unreadable === 'ended' ? unreadable : said(unreadable)).toEqual(seesAll ? ['ok', 'ENOMEM', 'ok'] : 'ended');
    expect(said(await run(0o111, program.slice(2), { numCpus: 1 }) as Answer[])).toEqual([seesAll ? 'ok' : 'EACCES']);
  }, 60_000);

  it('gets no random bytes but those of the seed', async () => {
    const program = [call('getrandom', Buffer.alloc(16), 16, 0)];
    const [readable, again, unreadable] = [await run(0o555, program, { randomSeed: 5 }), await run(0o555, program, { randomSeed: 5 }), await run(0o111, program, { randomSeed: 5 })];
    expect(again).toEqual(readable);
    expect(unreadable).toEqual(seesAll ? readable : 'ended');
  }, 60_000);
});
