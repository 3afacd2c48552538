import { close, fcntlDupFd, lseek64, O_DIRECTORY, O_RDONLY, AT_FDCWD, openat } from '@sandlock/sys';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { decodeEntries } from '../../src/directory/records.js';
import { PositionStore, sortedDirectories } from '../../src/index.js';
import { closeAll, Supervised } from '../supervised.js';

const ROOM = 32_768;
/** More than is read at once. */
const MANY = Array.from({ length: 12_000 }, (_, n) => `entry-${(n * 7919) % 12_000}`);
const SORTED = ['.', '..', ...[...MANY].sort()];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sorted-listing-'));
  mkdirSync(join(directory, 'large'));
  for (const name of MANY) writeFileSync(join(directory, 'large', name), '');
  mkdirSync(join(directory, 'small'));
}, 60_000);
afterEach(closeAll);
afterAll(() => { rmSync(directory, { recursive: true }); });

describe.each([['a shared open file', true], ['one of our own', false]])('a sorted listing through %s', (_, shared) => {
  function setUp() {
    const target = new Supervised(sortedDirectories({ positions: new PositionStore(shared) }));
    target.listener.dupFd = (_pid, fd) => fcntlDupFd(fd, 3);
    const at = target.memory(Buffer.alloc(ROOM));
    const call = async (fd: number) => {
      const answer = await target.call('getdents64', [fd, at, ROOM]) as { value?: bigint; errno?: string };
      if (answer.errno !== undefined) throw new Error(answer.errno);
      return decodeEntries(Buffer.from(target.listener.memory(process.pid, at, Number(answer.value)))).map((entry) => entry.name.toString());
    };
    const open = (name: string) => openat(AT_FDCWD, join(directory, name), O_RDONLY | O_DIRECTORY);
    return { call, open };
  }

  it('of a large directory has every name once and in order, and can be read again', async () => {
    const { call, open } = setUp();
    const fd = open('large');
    for (let n = 0; n < 2; n++) {
      const names: string[] = [];
      for (let some = await call(fd); some.length > 0; some = await call(fd)) names.push(...some);
      expect(names).toEqual(SORTED);
      lseek64(fd, 0n, 0);
    }
    close(fd);
  });

  it('of a large directory keeps nobody waiting but who asked for it', async () => {
    const { call, open } = setUp();
    const [large, small] = [open('large'), open('small')];
    const answered: string[] = [];
    const calls = [call(large).then(() => answered.push('large'))];
    calls.push(call(small).then(() => answered.push('small')));
    await Promise.all(calls);
    expect(answered).toEqual(['small', 'large']);
    for (const fd of [large, small]) close(fd);
  });
});
