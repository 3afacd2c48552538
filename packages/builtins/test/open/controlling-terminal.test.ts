/** /dev/tty of a session that this process is not in, and numbers of its processes that stand for other files meanwhile. */
import { AT_FDCWD, close, O_PATH, O_RDWR, openat } from '@sandlock/sys';
import { spawn, type ChildProcess } from 'node:child_process';
import { fstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openControllingTerminal } from '../../src/open/controlling-terminal.js';
import { hasPython } from '../live/sandboxed.js';

let folder: string;
let child: ChildProcess | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'terminal-'));
  writeFileSync(join(folder, 'secret'), 'secret', { mode: 0o600 });
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A session with a terminal of its own, at descriptor 9 alone, where SIGUSR1 puts a place: the secret's. */
async function session(): Promise<number> {
  child = spawn('/usr/bin/python3', ['-I', '-c', `
import fcntl, os, pty, signal, sys, termios, time
master, slave = pty.openpty()
os.setsid()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
os.dup2(slave, 9); os.close(slave)
place = os.open(sys.argv[1], os.O_PATH)
signal.signal(signal.SIGUSR1, lambda *_: os.dup2(place, 9))
print(os.readlink('/proc/self/fd/9'), flush=True)
while True: time.sleep(0.001)`, join(folder, 'secret')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! });
  const [terminal] = await new Promise<[string]>((resolve) => lines.once('line', (line) => resolve([line])));
  expect(terminal).toMatch(/^\/dev\/pts\//);
  return child.pid!;
}

/** Makes the number stand for the secret, and returns when it does. */
function turn(pid: number): void {
  process.kill(pid, 'SIGUSR1');
  while (readlinkSync(`/proc/${pid}/fd/9`) !== join(folder, 'secret'));
}

describe.skipIf(!hasPython)('the terminal of another session [needs python3]', () => {
  it('is opened through a descriptor of it, with the rights of the target', async () => {
    const pid = await session();
    let asked = 0;
    const fd = openControllingTerminal(pid, O_RDWR, (work) => {
      asked++;
      return work();
    });
    expect([asked, fstatSync(fd!).isCharacterDevice(), readlinkSync(`/proc/self/fd/${fd!}`)]).toEqual([1, true, readlinkSync(`/proc/${pid}/fd/9`)]);
    close(fd!);
  });

  it('is no file that the number stands for by the time it is opened', async () => {
    const pid = await session();
    const before = readdirSync('/proc/self/fd').length;
    const fd = openControllingTerminal(pid, O_RDWR, (work) => {
      turn(pid);
      return work();
    });
    expect(fstatSync(fd!).isCharacterDevice()).toBe(true);
    close(fd!);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    // It is none that the session had, so there is no other.
    expect(openControllingTerminal(pid, O_RDWR, (work) => work())).toBeUndefined();
    const place = openat(AT_FDCWD, `/proc/${pid}/fd/9`, O_PATH); // what it stands for now
    expect(fstatSync(place).isFile()).toBe(true);
    close(place);
  });
});
