import { uname } from '@sandlock/sys';
import { release } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';

import { hostname } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

describe('hostname family: uname', () => {
  it('answers with the kernel\'s structure and the sandbox\'s name', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    const at = target.memory(Buffer.alloc(390, 0xff));
    expect(await target.call('uname', [at])).toEqual({ kind: 'returnValue', value: 0n });
    const written = target.listener.memory(process.pid, at, 390);
    const field = (n: number) => written.toString('latin1', n * 65, written.indexOf(0, n * 65));
    expect([field(0), field(1), field(2)]).toEqual(['Linux', 'box', release()]);
    expect(written.subarray(130)).toEqual(uname().subarray(130));
    expect(written.subarray(68, 130).every((byte) => byte === 0)).toBe(true);
  });

  it('fails with EFAULT on a bad pointer', async () => {
    const target = new Supervised(hostname({ name: 'box' }));
    target.memory('mapped');
    expect(await target.call('uname', [0x666000])).toMatchObject({ errno: 'EFAULT' });
    expect(await target.call('uname', [0])).toMatchObject({ errno: 'EFAULT' });
  });

  it('takes names up to 64 bytes', async () => {
    const target = new Supervised(hostname({ name: 'ä'.repeat(32) }));
    const at = target.memory(Buffer.alloc(390, 0xff));
    await target.call('uname', [at]);
    expect(target.listener.memory(process.pid, at + 65n, 65)).toEqual(Buffer.from(`${'ä'.repeat(32)}\0`));
    for (const name of ['', 'x'.repeat(65), 'a\0b', 'a\nb']) expect(() => hostname({ name }), name).toThrow(RangeError);
  });
});
