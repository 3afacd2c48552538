import type { FakeCall } from '@sandlock/dispatch/testing';
import { close, fcntlDupFd, isOpenFd, lseek64, O_DIRECTORY, O_PATH, O_RDONLY, AT_FDCWD, openat } from '@sandlock/sys';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { answerListing, type LateBegin, type Listing } from '../../src/directory/answer-listing.js';
import { kernelEntries, wholeDirectory } from '../../src/directory/kernel-entries.js';
import { PositionStore } from '../../src/directory/position-store.js';
import { decodeEntries } from '../../src/directory/records.js';
import { OneAtATime } from '../../src/one-at-a-time.js';
import { closeAll, Supervised } from '../supervised.js';

const NAMES = ['.', '..', ...Array.from({ length: 40 }, (_, n) => `file-${n}`)];
const all: Listing = { next: kernelEntries };
const even: Listing = {
  next: kernelEntries,
  visible: (entries) => entries.filter(({ name }) => Number(/\d+/.exec(name.toString())?.[0]) % 2 === 0),
};
/** Sorted, with positions that count. */
const sorted: Listing = {
  next: (directory, position) => wholeDirectory(directory)
    .sort((a, b) => a.name.compare(b.name))
    .map((entry, i) => ({ ...entry, off: BigInt(i + 1) }))
    .slice(Number(position)),
};

let directory: string;
let fd: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'listing-'));
  for (const name of NAMES.slice(2)) writeFileSync(join(directory, name), '');
  fd = openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
});

afterEach(async () => {
  await closeAll();
  close(fd);
  rmSync(directory, { recursive: true });
});

class Lister {
  readonly target: Supervised;
  readonly #at: bigint;

  constructor(listing: Listing, shared: boolean) {
    const store = new PositionStore();
    const handler = (context: Parameters<typeof answerListing>[0]) => answerListing(context, store, listing);
    this.target = new Supervised({ name: 'listing', handlers: { getdents64: handler, getdents: handler } });
    this.target.listener.dupFd = (_pid, number) => {
      if (!shared) return -constants.errno.EPERM;
      return isOpenFd(number) ? fcntlDupFd(number, 3) : -constants.errno.EBADF;
    };
    this.#at = this.target.memory(Buffer.alloc(4096));
  }

  async call(roomBytes: number, { name = 'getdents64', number = fd, at = this.#at } = {}) {
    const answer = await this.target.call(name, [number, at, roomBytes]) as { value?: bigint; errno?: string };
    if (answer.errno !== undefined) return answer.errno;
    return decodeEntries(this.target.listener.memory(process.pid, at, Number(answer.value))).map((entry) => entry.name.toString());
  }

  notify(): FakeCall {
    return this.target.listener.notify('getdents64', { pid: process.pid, args: [fd, this.#at, 4096] });
  }

  async rest(roomBytes: number): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      const some = await this.call(roomBytes);
      if (!Array.isArray(some)) throw new Error(some);
      if (some.length === 0) return names;
      names.push(...some);
    }
  }
}

describe.each([['a shared open file', true], ['one of our own', false]])('a listing through %s', (_, shared) => {
  it('gives every entry once, whatever the size of the buffer', async () => {
    for (const room of [32, 100, 4096]) {
      lseek64(fd, 0n, 0);
      expect((await new Lister(all, shared).rest(room)).sort()).toEqual([...NAMES].sort());
    }
  });

  it('leaves out what is not to be seen, and ends only at the end', async () => {
    expect((await new Lister(even, shared).rest(32)).sort()).toEqual(NAMES.filter((_name, i) => i % 2 === 0 && i > 1).sort());
  });

  it('goes on by positions that another order has', async () => {
    expect(await new Lister(sorted, shared).rest(64)).toEqual([...NAMES].sort());
  });

  it('fails with EINVAL where the first does not fit and EFAULT where it cannot be written, and stays where it was', async () => {
    const lister = new Lister(sorted, shared);
    expect(await lister.call(23)).toBe('EINVAL');
    expect(await lister.call(100, { at: 0x666000n })).toBe('EFAULT');
    expect(await lister.call(24)).toEqual(['.']);
  });

  it('knows what is no directory, no descriptor, or not to be read', async () => {
    const lister = new Lister(all, shared);
    const [file, path] = [openat(AT_FDCWD, '/etc/passwd', O_RDONLY), openat(AT_FDCWD, directory, O_PATH)];
    expect(await lister.call(100, { number: file })).toBe('ENOTDIR');
    expect(await lister.call(100, { number: path })).toBe('EBADF');
    close(file);
    close(path);
    expect(await lister.call(100, { number: 3000 })).toBe('EBADF');
    expect(await lister.call(100, { number: -1 })).toBe('EBADF');
  });

  it('follows the directory when it is renamed', async () => {
    const lister = new Lister(all, shared);
    await lister.call(100);
    const moved = `${directory}-moved`;
    renameSync(directory, moved);
    mkdirSync(directory);
    expect(await lister.rest(4096)).toHaveLength(39);
    rmSync(directory, { recursive: true });
    renameSync(moved, directory);
  });
});

describe.each([['a shared open file', true], ['one of our own', false]])('a listing through %s that takes long to begin', (_, shared) => {
  it('has nothing open while it waits for its turn, and is not begun for one who is gone', async () => {
    const turns = new OneAtATime();
    let end!: () => void;
    const held = turns.run(() => new Promise<void>((resolve) => { end = resolve; }));
    let turned = 0;
    const late: LateBegin = {
      inTurn: (work, signal) => turns.run(() => { turned++; return work(); }, signal),
      begin: (_directory, position) => Promise.resolve(position),
    };
    const lister = new Lister({ ...all, begin: () => late }, shared);
    const before = readdirSync('/proc/self/fd').length;
    // One more than may be deferred at a time.
    const calls = Array.from({ length: 65 }, () => lister.notify());
    expect(await calls[64]!.answered).toMatchObject({ errno: 'EAGAIN' });
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    for (const call of calls.slice(1)) lister.target.listener.withdraw(call);
    await expect.poll(() => lister.target.supervisor.diagnostics().deferred.length, { timeout: 10_000 }).toBe(1);
    end();
    await held;
    expect(await calls[0]!.answered).toMatchObject({ kind: 'returnValue' });
    await turns.run(() => Promise.resolve()); // after whatever else would have had a turn
    expect(turned).toBe(1);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});

describe('a listing through a shared open file', () => {
  it('moves with lseek(2) on any duplicate', async () => {
    const lister = new Lister(sorted, true);
    expect(await lister.call(80)).toEqual(['.', '..', 'file-0']);
    const duplicate = fcntlDupFd(fd, 3);
    expect(await lister.call(32, { number: duplicate })).toEqual(['file-1']);
    lseek64(duplicate, 1n, 0);
    expect(await lister.call(24)).toEqual(['..']);
    close(duplicate);
  });
});
