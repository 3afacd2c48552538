import { AT_FDCWD } from '@sandlock/sys';
import { afterEach, describe, expect, it } from 'vitest';

import { action, decodeOpen, type OpenArguments } from '../src/index.js';
import { closeAll, supervised } from './supervised.js';

afterEach(closeAll);

const PATH = 0x5000n;
const HOW = 0x6000n;

async function decode(name: string, args: (bigint | number)[], how?: Buffer): Promise<OpenArguments> {
  let result: OpenArguments | undefined;
  const { listener, supervisor } = supervised([[name, (context) => {
    result = decodeOpen(context);
    return action.continue();
  }, { onException: 'denyEio' }]]);
  listener.mapString(1000, PATH, 'a/b');
  if (how !== undefined) listener.map(1000, HOW, how);
  await listener.notify(name, { args }).answered;
  expect(supervisor.stats().exceptions).toBe(result === undefined ? 1 : 0);
  return result!;
}

function openHow(flags: bigint, mode: bigint, resolve: bigint, extra = Buffer.alloc(0)): Buffer {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(flags, 0);
  how.writeBigUInt64LE(mode, 8);
  how.writeBigUInt64LE(resolve, 16);
  return Buffer.concat([how, extra]);
}

const path = { ok: true, path: Buffer.from('a/b'), text: 'a/b' };

describe('decodeOpen', () => {
  it('reads the four spellings into one shape', async () => {
    expect(await decode('open', [PATH, 0o101, 0o644])).toEqual({ ...path, dirfd: AT_FDCWD, flags: 0o101, mode: 0o644, resolve: 0n });
    expect(await decode('creat', [PATH, 0o600])).toEqual({ ...path, dirfd: AT_FDCWD, flags: 0o1101, mode: 0o600, resolve: 0n });
    expect(await decode('openat', [5, PATH, 2, 0])).toEqual({ ...path, dirfd: 5, flags: 2, mode: 0, resolve: 0n });
    expect(await decode('openat2', [-100, PATH, HOW, 24], openHow(0o101n, 0o640n, 4n)))
      .toEqual({ ...path, dirfd: AT_FDCWD, flags: 0o101, mode: 0o640, resolve: 4n });
  });

  it('ignores the upper halves of registers, as the kernel does', async () => {
    const high = 1n << 32n;
    expect(await decode('openat', [high | 0xffffff9cn, PATH, high | 1n, high | 0o777n]))
      .toEqual({ ...path, dirfd: AT_FDCWD, flags: 1, mode: 0o777, resolve: 0n });
  });

  it('takes a longer open_how whose rest is zero, and no other', async () => {
    expect(await decode('openat2', [0, PATH, HOW, 32], openHow(0n, 0n, 0n, Buffer.alloc(8)))).toMatchObject({ ok: true });
    expect(await decode('openat2', [0, PATH, HOW, 32], openHow(0n, 0n, 0n, Buffer.alloc(8, 1)))).toMatchObject({ errno: 'E2BIG' });
  });

  it.each<[string, bigint | number, Buffer | undefined, string]>([
    ['too short a size', 23, openHow(0n, 0n, 0n), 'EINVAL'],
    ['a size beyond a page', 4097, openHow(0n, 0n, 0n), 'E2BIG'],
    ['an endless size', 2n ** 64n - 1n, openHow(0n, 0n, 0n), 'E2BIG'],
    ['flags beyond 32 bits', 24, openHow(1n << 32n, 0n, 0n), 'EINVAL'],
    ['a mode beyond 07777', 24, openHow(0n, 0o10000n, 0n), 'EINVAL'],
    ['no structure', 24, undefined, 'EFAULT'],
    ['half a structure', 24, openHow(0n, 0n, 0n).subarray(0, 12), 'EFAULT'],
  ])('answers as the kernel to %s', async (_, size, how, errno) => {
    expect(await decode('openat2', [0, PATH, HOW, size], how)).toMatchObject({ ok: false, errno });
  });

  it('throws for any other call', async () => {
    expect(await decode('stat', [PATH])).toBeUndefined();
  });
});
