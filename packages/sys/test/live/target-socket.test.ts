/** What becomes of this process when a target's descriptor is looked at: nothing. Each beside a copy in its own table. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

import { close, pidfdGetfd, pidfdOpen, SO_TYPE, SOCK_STREAM, SOL_SOCKET, TargetSocket } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'sandlock-target-socket-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (name: string) => fileURLToPath(new URL(`../targets/${name}`, import.meta.url));
const threads = () => readdirSync('/proc/self/task').length;

/** undefined: a shell that redirects it has just closed it. */
function standardInput(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/0`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

function copyOf(pid: number, fd: number): number {
  const pidfd = pidfdOpen(pid);
  const copy = pidfdGetfd(pidfd, fd);
  close(pidfd);
  return copy;
}

// The container's filter denies the copy that everything here starts with.
const inContainer = process.env['SANDLOCK_TEST_CONTAINER'] === '1';

describe.skipIf(inContainer)('a target\'s socket [needs pidfd_getfd]', () => {
  it('that is a file leaves the locks of this process on that file alone', async () => {
    const [file, library] = [join(folder, 'locked'), join(folder, 'lock.so')];
    writeFileSync(file, '');
    const { status } = spawnSync('gcc', ['-shared', '-fPIC', `-DLOCKED_FILE="${file}"`, '-o', library, source('lock.c')]);
    expect(status).toBe(0);
    expect(() => process.dlopen({ exports: {} }, library)).toThrow(); // no module, but its constructor ran
    const locked = () => readFileSync('/proc/locks', 'latin1').split('\n')
      .some((line) => line.includes('POSIX') && line.includes(`:${statSync(file).ino} `));
    expect(locked()).toBe(true);

    // Opened by the target itself: a close in this process would release the lock as well.
    const target = spawn('sh', ['-c', 'exec sleep 60 <"$0"', file], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      while (standardInput(target.pid!) !== file) await new Promise((resolve) => { setTimeout(resolve, 5); });
      const socket = TargetSocket.open(target.pid!, 0);
      expect(() => socket.getsockoptInt(SOL_SOCKET, SO_TYPE)).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }));
      socket.end();
      expect(locked()).toBe(true);
      close(copyOf(target.pid!, 0));
      expect(locked()).toBe(false);
    } finally {
      target.kill();
    }
  });

  it.each([['in place', false], ['as a copy', true]])('that lingers is let go of: %s', async (_, asCopy) => {
    const target = spawn('/usr/bin/python3', [source('linger.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: target.stdout })[Symbol.asyncIterator]();
    const said = async (): Promise<unknown> => (await lines.next()).value;
    try {
      const fd = Number(await said());
      const before = threads();
      const socket = asCopy ? copyOf(target.pid!, fd) : TargetSocket.open(target.pid!, fd);
      if (typeof socket !== 'number') expect(socket.getsockoptInt(SOL_SOCKET, SO_TYPE)).toBe(SOCK_STREAM);
      target.stdin.write('close\n');
      expect(await said()).toBe('closed'); // ours is the last one now
      const started = performance.now();
      if (typeof socket === 'number') close(socket);
      else socket.end();
      const tookMs = performance.now() - started;
      if (asCopy) expect(tookMs).toBeGreaterThan(1500); // what there is to avoid: its two seconds
      else expect(tookMs).toBeLessThan(1000);
      expect(threads()).toBe(before);
    } finally {
      target.kill();
    }
  });

  it('is an error where there is none, and leaves nothing', () => {
    const before = [threads(), readdirSync('/proc/self/fd').length];
    for (let n = 0; n < 50; n++) {
      expect(() => TargetSocket.open(process.pid, 9999)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    }
    expect(() => TargetSocket.open(0x7ffffff, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
    expect([threads(), readdirSync('/proc/self/fd').length]).toEqual(before);
  });
});
