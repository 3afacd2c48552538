import { DispatchTable } from '@sandlock/dispatch';
import { afterEach, describe, expect, it } from 'vitest';

import { memory, ProcessTree } from '../src/index.js';
import { MemoryMeter } from '../src/memory/memory-meter.js';
import { parseMemoryStatus } from '../src/memory/memory-status.js';
import { SharedObjects } from '../src/memory/shared-objects.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const MIB = 2 ** 20;
/** No guard: there are no members, so nothing is in use. */
const family = (onExceeded: 'kill' | 'enomem' = 'enomem') => memory({ limitBytes: 64 * MIB, onExceeded, members: new ProcessTree(() => 0) });

describe('memory family', () => {
  it('takes a whole number of bytes from 1', () => {
    for (const limitBytes of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 60, '3' as unknown as number]) {
      expect(() => memory({ limitBytes, members: new ProcessTree(() => 0) }), String(limitBytes)).toThrow(RangeError);
    }
  });

  it('is asked about large writable anonymous mappings only, and never about munmap or reservations', () => {
    const table = new DispatchTable({ arch: 'x86_64' }).family(family());
    const calls = Object.fromEntries(table.registrations().map(({ name, when }) => [name, when]));
    expect(Object.keys(calls).sort()).toEqual(['brk', 'memfd_create', 'mmap', 'mremap', 'shmget']);
    expect(calls['mmap']).toEqual([[
      { index: 1, op: 'ge', value: 131072n, width: 64 },
      { index: 2, op: 'maskedEq', mask: 2n, value: 2n, width: 32 },
      { index: 3, op: 'maskedEq', mask: 0x4030n, value: 0x20n, width: 32 },
    ]]);
    expect(calls['brk']).toEqual([[{ index: 0, op: 'ne', value: 0n, width: 64 }]]);
  });

  it('fails a request that does not fit, and leaves one to the kernel that fits nowhere', async () => {
    const target = new Supervised(family());
    const map = (bytes: number | bigint) => target.call('mmap', [0, bytes, 3, 0x22, -1, 0]);
    expect(await map(61 * MIB)).toMatchObject({ errno: 'ENOMEM' }); // a sixteenth before the limit
    expect(await map(60 * MIB)).toEqual({ kind: 'continue' });
    expect(await map(2n ** 63n)).toEqual({ kind: 'continue' });
    expect(await target.call('mremap', [0x1000, 10 * MIB, 80 * MIB, 1])).toMatchObject({ errno: 'ENOMEM' });
    expect(await target.call('mremap', [0x1000, 80 * MIB, 10 * MIB, 1])).toEqual({ kind: 'continue' });
  });

  it('answers a brk that does not fit with the end as it is, never with an errno that looks like an address', async () => {
    const target = new Supervised(family());
    const heap = await target.call('brk', [2n ** 46n]);
    expect(heap.kind).toBe('returnValue');
    expect((heap as unknown as { value: bigint }).value).toBeGreaterThan(0n);
    // Nothing can be learned about this one.
    expect(await target.call('brk', [2n ** 46n], { pid: 2 ** 22 + 1 })).toMatchObject({ kind: 'returnValue', value: 0n });
  });
});

describe('what a sandbox uses', () => {
  it('has no part of a process that was ended for it', () => {
    const tree = { living: () => [process.pid] } as unknown as ProcessTree;
    const meter = new MemoryMeter(tree, new SharedObjects(), 2 ** 40);
    expect(meter.measure().usedBytes).toBeGreaterThan(MIB);
    meter.killed(process.pid);
    expect(meter.measure()).toEqual({ usedBytes: 0, shares: new Map() });
  });
});

describe('what a process uses', () => {
  it('is its anonymous, shared and huge pages, its swap and its page tables', () => {
    const text = 'Name:\tVmSize: 9\nState:\tS\nTgid:\t7\nPid:\t8\nVmPeak:\t 99 kB\nVmSize:\t  90 kB\nRssAnon:\t 1 kB\nRssFile:\t 2 kB\n'
      + 'RssShmem:\t 4 kB\nVmPTE:\t 8 kB\nVmSwap:\t 16 kB\nHugetlbPages:\t 32 kB\n';
    expect(parseMemoryStatus(text)).toMatchObject({ pid: 7, usedBytes: (1 + 4 + 8 + 16 + 32) * 1024 });
    expect(parseMemoryStatus('Name:\tx\nState:\tZ (zombie)\nTgid:\t7\n')).toBeUndefined();
  });
});
