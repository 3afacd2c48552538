import { action, decodeOpen, type Family, type Handler } from '@sandlock/dispatch';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { release } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';

import { type View } from '../../src/index.js';
import { RandomDevices } from '../../src/random/random-devices.js';
import { randomIds } from '../../src/random/random-ids.js';
import { ProcessRandom } from '../../src/random/process-random.js';
import { RandomTree } from '../../src/random/random-tree.js';
import { python } from './python.js';
import { endAll, hasPython, Sandboxed } from './sandboxed.js';

afterEach(endAll);

const [major, minor] = release().split('.').map(Number) as [number, number];
/** Whether a socket can be kept from being sent descriptors. */
const refusesDescriptors = major > 6 || (major === 6 && minor >= 16);

/** What the nth open of seed 7's first process gives. */
function expected(nth: number, length: number): Buffer {
  return RandomTree.fromSeed(7n).branch('device', nth).stream().read(length);
}

/** Opens of exactly these names, by whatever process, drawn from one. */
class Devices {
  readonly process = new ProcessRandom(RandomTree.fromSeed(7n));
  readonly devices: RandomDevices;
  /** The most that were open at once. */
  peak = 0;

  constructor(maxFeeds?: number, readonly mayWrite = true) {
    this.devices = new RandomDevices(() => this.process.openDevice(), maxFeeds);
  }

  get families(): () => readonly Family[] {
    const views: readonly View[] = [...this.devices.views, ...randomIds('boot', () => this.process.uuids)];
    const open: Handler = (context) => {
      const how = decodeOpen(context);
      if (!how.ok) return how.deny();
      const view = views.find(({ path }) => path === how.text);
      this.peak = Math.max(this.peak, this.devices.size);
      const asker = { pid: context.pid, tgid: context.pid };
      return view?.open({ asker, subject: asker, name: how.text, flags: how.flags, mayWrite: this.mayWrite }) ?? action.continue();
    };
    return () => [{ name: 'opens', handlers: { open, openat: open }, dispose: () => this.devices.close() }];
  }
}

async function shell(devices: Devices, script: string): Promise<string> {
  const { stdout, stderr, exit } = await new Sandboxed(['/bin/bash', '-c', script], devices.families).done;
  expect({ stderr, code: exit.code }).toEqual({ stderr: '', code: 0 });
  return stdout;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('the random devices [needs Linux 5.14]', () => {
  it('give every open its own bytes, by both names and by redirection', async () => {
    const hex = (n: number) => expected(n, 8).toString('hex').replace(/../g, ' $&');
    expect(await shell(new Devices(), `
od -An -N8 -tx1 /dev/urandom; od -An -N8 -tx1 /dev/random; od -An -N8 -tx1 < /dev/urandom
head -c 8 /dev/urandom | od -An -tx1`)).toBe(`${[0, 1, 2, 3].map(hex).join('\n')}\n`);
  });

  it('have no end, and answer a read of any length whole', async () => {
    const devices = new Devices();
    // dd takes what one read gives for a block.
    const script = 'dd if=/dev/urandom bs=3M count=3 status=none | sha256sum; head -c 20M /dev/urandom | sha256sum; head -c 1 /dev/urandom | od -An -tx1';
    const [dd, head, one] = (await shell(devices, script)).split('\n');
    expect(dd!.slice(0, 64)).toBe(sha256(expected(0, 9 << 20)));
    expect(head!.slice(0, 64)).toBe(sha256(expected(1, 20 << 20)));
    expect(one!.trim()).toBe(expected(2, 1).toString('hex'));
  });

  it.skipIf(!hasPython)('behave as devices do [needs python3]', async () => {
    expect(await python(new Devices().families, `
import select
path = '/dev/urandom'
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
ready = select.select([fd], [], [fd], 0)
quiet = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
sink = os.open(path, os.O_WRONLY)
r = os.pipe()
if os.fork() == 0:
    os.write(r[1], os.read(fd, 4).hex().encode()); os._exit(0)
os.wait()
say({
  'ready': [bool(x) for x in ready],
  'write': os.write(sink, b'x' * 100000),
  'shared': [os.read(r[0], 8).decode(), os.read(fd, 4).hex()],
  'quiet': len(os.read(quiet, 4096)), 'flag': os.get_blocking(quiet),
  'inherit': os.get_inheritable(fd), 'seek': call(os.lseek, fd, 0, 0),
  'open': [call(os.open, path, flags) for flags in (os.O_CREAT | os.O_EXCL, os.O_DIRECTORY, os.O_PATH)],
  'cloexec': raw(72 if os.uname().machine == 'x86_64' else 25, fd, 1, 0),
})`)).toEqual({
      ready: [true, false, false], write: 100000,
      shared: [expected(0, 4).toString('hex'), expected(0, 8).subarray(4).toString('hex')],
      quiet: 4096, flag: false, inherit: false, seek: 'ESPIPE', open: ['EEXIST', 'ENOTDIR', 'EACCES'], cloexec: 1,
    });
  });

  const writes = `
import select
fd = os.open('/dev/urandom', os.O_RDWR)
say([bool(select.select([], [fd], [], 0)[1]), call(os.write, fd, b'x' * 100000), len(os.read(fd, 10))])`;

  it.skipIf(!hasPython || !refusesDescriptors)('take what is written by who reads them as well [needs python3, Linux 6.16]', async () => {
    expect(await python(new Devices().families, writes)).toEqual([true, 100000, 10]);
  });

  it.skipIf(!hasPython || refusesDescriptors)('take nothing from who reads them as well [needs python3, Linux before 6.16]', async () => {
    expect(await python(new Devices().families, writes)).toEqual([true, 'EPIPE', 10]);
  });

  it.skipIf(!hasPython)('are not for writing where the policy says so [needs python3]', async () => {
    expect(await python(new Devices(undefined, false).families, `
say([call(os.open, '/dev/urandom', flags) for flags in (os.O_RDWR, os.O_WRONLY)] + [len(os.read(os.open('/dev/urandom', os.O_RDONLY), 10))])`,
    )).toEqual(['EACCES', 'EACCES', 10]);
  });

  it.skipIf(!hasPython)('take no descriptors of the supervisor once they are closed [needs python3]', async () => {
    await shell(new Devices(), 'od -N1 /dev/urandom'); // what a first sandbox opens once and for all
    const devices = new Devices();
    const before = readdirSync('/proc/self/fd').length;
    expect(await python(devices.families, `
for n in range(3000):
    fd = os.open('/dev/urandom', os.O_RDONLY)
    if n % 3: os.read(fd, 16)
    os.close(fd)
say(os.open('/dev/urandom', os.O_RDONLY))`)).toBe(3);
    expect(devices.peak).toBeLessThan(200); // of 256 before files are given
    expect(devices.devices.size).toBe(0);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  it.skipIf(!hasPython)('are files with the same bytes where very many are open [needs python3]', async () => {
    const devices = new Devices(4);
    const read = await python(devices.families, `
fds = [os.open('/dev/urandom', os.O_RDONLY) for _ in range(50)]
say([os.read(fd, 8).hex() for fd in fds] + [len(os.read(fds[-1], 2 << 20))])`) as string[];
    expect(read).toEqual([...Array.from({ length: 50 }, (_, n) => expected(n, 8).toString('hex')), (1 << 20) - 8]);
  });

  it('make UUIDs of the seed, new ones at every open, and one boot', async () => {
    const script = 'cd /proc/sys/kernel/random; cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/uuid /proc/sys/kernel/random/boot_id';
    const lines = (await shell(new Devices(), script)).split('\n');
    expect(lines[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(lines[1]).not.toBe(lines[0]);
    expect(lines[2]).toBe('boot');
    expect((await shell(new Devices(), script)).split('\n')).toEqual(lines);
  });

  it('are not the machine\'s, which a run without them shows', () => {
    const real = () => spawnSync('od', ['-An', '-N8', '-tx1', '/dev/urandom'], { encoding: 'utf8' }).stdout;
    expect(real()).not.toBe(real());
  });
});
