import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';

import { box, python, sleep, untilSaid } from './support.js';

const sandbox = box();
const MIB = 1024 * 1024;

describe('input', () => {
  const hash = [python, '-c', 'import hashlib, sys; d = sys.stdin.buffer.read(); print(len(d), hashlib.md5(d).hexdigest())'];
  const bytes = Buffer.alloc(3 * MIB, 'input of three megabytes ');

  it.each([
    ['bytes', () => bytes], ['text', () => bytes.toString()],
    ['a stream', () => Readable.from(Array.from({ length: 48 }, (_, i) => bytes.subarray(i * 65536, (i + 1) * 65536)))],
  ])('of 3 MB arrives from %s', async (_, input) => {
    const expected = await sandbox.run(['/usr/bin/md5sum'], { input: bytes });
    const { stdout } = await sandbox.run(hash, { input: input() });
    expect(stdout.toString()).toBe(`${3 * MIB} ${expected.text().split(' ')[0]}\n`);
  });

  it('comes back whole through a program that echoes it', async () => {
    expect((await sandbox.run(['/bin/cat'], { input: bytes })).stdout.equals(bytes)).toBe(true);
  });

  it('that a program does not read is no error', async () => {
    expect(await sandbox.run(['/bin/true'], { input: bytes })).toMatchObject({ ok: true });
  });

  it('that is empty is the end of file', async () => {
    expect(await sandbox.run(['/bin/cat'], { input: '' })).toMatchObject({ ok: true, stdout: Buffer.alloc(0) });
  });

  it('that breaks is the end of file', async () => {
    const broken = Readable.from((function* () { yield 'one'; throw new Error('broken'); })());
    expect((await sandbox.run(['/bin/cat'], { input: broken })).stdout.toString()).toBe('one');
  });

  it.each<[string, () => Readable]>([
    ['was destroyed before', () => new Readable({ read: () => undefined }).destroy()],
    ['was broken before', () => new Readable({ read: () => undefined }).on('error', () => undefined).destroy(new Error('on purpose'))],
    ['is destroyed meanwhile', () => {
      const stream = new Readable({ read: () => undefined });
      setTimeout(() => stream.destroy(), 100);
      return stream;
    }],
    ['yields what is no bytes', () => Readable.from([{ no: 'bytes' }, 'more'])],
  ])('that %s is the end of file', async (_, input) => {
    expect(await sandbox.run(['/bin/cat'], { input: input(), timeout: 10_000 })).toMatchObject({ ok: true, stdout: Buffer.alloc(0) });
  });

  it('that was paused, or given to somebody else before, is read', async () => {
    const paused = Readable.from(['one']).pause();
    const taken = Readable.from(['two']);
    taken.unpipe(taken.pipe(new Writable({ write: () => undefined })));
    for (const [input, text] of [[paused, 'one'], [taken, 'two']] as const) {
      expect((await sandbox.run(['/bin/cat'], { input, timeout: 10_000 })).text()).toBe(text);
    }
  });

  it('may break when the program is gone', async () => {
    const input = new Readable({ read: () => undefined });
    expect(await sandbox.run(['/bin/true'], { input })).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(input.listenerCount('data')).toBe(0));
    expect(input.listenerCount('error')).toBeGreaterThan(0); // without one the error would be uncaught
    input.destroy(new Error('on purpose'));
    await new Promise((resolve) => { setImmediate(resolve); });
    expect(input.errored).toMatchObject({ message: 'on purpose' });
  });

  it('that was read before is the end of file, and one that has no end does not keep the run from ending', async () => {
    const read = Readable.from(['one']);
    for await (const chunk of read) expect(chunk).toBe('one');
    expect(await sandbox.run(['/bin/cat'], { input: read, timeout: 10_000 })).toMatchObject({ ok: true, stdout: Buffer.alloc(0) });
    const endless = new Readable({ read() { this.push('y\n'); } });
    expect(await sandbox.run(['/bin/true'], { input: endless, timeout: 10_000 })).toMatchObject({ ok: true });
    expect(endless.destroyed).toBe(false);
    expect(endless.listenerCount('data')).toBe(0);
  });
});

describe('output', () => {
  const both = [python, '-c', `
import os, threading
def write(fd):
    left = ${MIB}
    while left: left -= os.write(fd, b'x' * min(left, 4096))
threads = [threading.Thread(target=write, args=(fd,)) for fd in (1, 2)]
for t in threads: t.start()
for t in threads: t.join()`];

  it('of 1 MiB on both streams at once is captured', async () => {
    const { stdout, stderr, truncated } = await sandbox.run(both);
    expect([stdout.length, stderr.length, truncated]).toEqual([MIB, MIB, false]);
  });

  it('beyond maxBuffer is read and dropped', async () => {
    const { stdout, stderr, truncated, ok } = await sandbox.run(both, { maxBuffer: 1000 });
    expect([stdout.length, stderr.length, truncated, ok]).toEqual([1000, 1000, true, true]);
  });

  it('of exactly maxBuffer is whole', async () => {
    const result = await sandbox.run(both, { maxBuffer: '1M' });
    expect([result.stdout.length, result.truncated]).toEqual([MIB, false]);
    expect((await sandbox.run(both, { maxBuffer: MIB - 1 })).truncated).toBe(true);
  });

  it('is dropped altogether with maxBuffer 0', async () => {
    expect(await sandbox.run(['/bin/echo', 'x'], { maxBuffer: 0 })).toMatchObject({ stdout: Buffer.alloc(0), truncated: true });
    expect(await sandbox.run(['/bin/true'], { maxBuffer: 0 })).toMatchObject({ truncated: false });
  });

  it('as text loses its trailing newlines, and is no text when it is not UTF-8', async () => {
    expect((await sandbox.run(['/usr/bin/printf', 'é\\n\\n'])).text()).toBe('é');
    const { text, stdout } = await sandbox.run(['/usr/bin/printf', '\\377']);
    expect(stdout).toEqual(Buffer.of(255));
    expect(text).toThrow(TypeError);
  });

  it('taken as a stream is not captured', async () => {
    const child = await sandbox.popen(['/bin/cat']);
    child.stdin!.end('taken');
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout!) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('taken');
    expect(await child.wait()).toMatchObject({ stdout: null, stderr: Buffer.alloc(0), ok: true });
  });

  it('of a stdin that was not taken: wait ends it', async () => {
    const child = await sandbox.popen(['/bin/cat']);
    expect(await child.wait()).toMatchObject({ ok: true });
    expect(child.stdout).toBeNull(); // captured
  });

  it('of a program that ended before the wait is captured all the same', async () => {
    const child = await sandbox.popen(['/bin/sh', '-c', 'echo early; echo late >&2']);
    await sleep(400);
    expect(await child.wait()).toMatchObject({ stdout: Buffer.from('early\n'), stderr: Buffer.from('late\n'), ok: true });
  });

  it('that the program closed before the wait does not keep that waiting', async () => {
    const child = await sandbox.popen(['/bin/sh', '-c', 'exec 2>&-; sleep 0.5']);
    child.stdout!.resume();
    await sleep(250);
    expect(await child.wait()).toMatchObject({ stdout: null, stderr: Buffer.alloc(0), ok: true });
  });

  it('of whoever outside has the pipe ends, also where that is never silent', async () => {
    const child = await sandbox.spawn(['/bin/sleep', '100']);
    const waiting = child.wait();
    const writing = `exec 3> /proc/${child.pid!}/fd/1; while echo more >&3; do echo wrote; sleep 0.02; done`;
    const outsider = spawn('/bin/sh', ['-c', writing], { stdio: ['ignore', 'pipe', 'ignore'] });
    const gone = once(outsider, 'exit');
    await untilSaid(outsider.stdout, 'wrote');
    await child.kill(); // resolves once the run has ended
    expect(String((await waiting).stdout)).toMatch(/^(more\n)+$/); // it was heard
    await gone; // nobody reads any more
  });

  it('of a process that another one left behind is read to its end', async () => {
    const { stdout } = await sandbox.run(['/bin/sh', '-c', 'head -c 500000 /dev/zero; (setsid sleep 100 &)']);
    expect(stdout.length).toBe(500_000);
  });
});
