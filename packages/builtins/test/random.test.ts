import { afterEach, describe, expect, it } from 'vitest';

import { random } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

describe('random family', () => {
  it('answers getrandom with the bytes of the process, and goes on where it was', async () => {
    const target = new Supervised(random({ seed: 42n }));
    const at = target.memory(Buffer.alloc(16));
    expect(await target.call('getrandom', [at, 3, 0])).toEqual({ kind: 'returnValue', value: 3n });
    expect(await target.call('getrandom', [at + 3n, 5, 0])).toEqual({ kind: 'returnValue', value: 5n });
    expect(target.listener.memory(process.pid, at, 10).toString('hex')).toBe('d30dca9c224addde0000');
  });

  it('never continues', async () => {
    const target = new Supervised(random({ seed: 42n }));
    const at = target.memory(Buffer.alloc(16));
    expect(await target.call('getrandom', [at, 8, 8])).toMatchObject({ errno: 'EINVAL' });
    expect(await target.call('getrandom', [at, 8, 6])).toMatchObject({ errno: 'EINVAL' });
    expect(await target.call('getrandom', [0x666000, 8, 0])).toMatchObject({ errno: 'EFAULT' });
    target.listener.fail('writeMemory', 'EPERM');
    expect(await target.call('getrandom', [at, 8, 0])).toMatchObject({ errno: 'EACCES' });
    // A thread that /proc does not know.
    target.listener.map(2 ** 22 + 1, 0x5000n, Buffer.alloc(8));
    expect(await target.call('getrandom', [0x5000n, 8, 0], { pid: 2 ** 22 + 1 })).toMatchObject({ errno: 'EPERM' });
    expect(await target.call('fork', [], { pid: 2 ** 22 + 1 })).toMatchObject({ errno: 'EAGAIN' });
    expect(target.reports).toEqual([]);
  });

  it('gives no handle of the supervisor away', async () => {
    const target = new Supervised(random({ seed: 42n }));
    expect(await target.call('getsockopt', [3, 1, 77, 0, 0])).toMatchObject({ errno: 'ENOPROTOOPT' });
    expect(await target.call('setsockopt', [3, 1, 76, 0, 0])).toMatchObject({ errno: 'ENOPROTOOPT' });
  });

  it('is told of no call but those', () => {
    const { table } = new Supervised(random({ seed: 42n }));
    expect(table.registrations().map(({ name, when }) => (when === undefined ? name : `${name} when`)).sort()).toEqual([
      'clone when', 'exit_group', 'fork', 'getrandom', 'getsockopt when', 'setsockopt when', 'vfork']);
  });

  it.each([-1n, 2n ** 64n])('takes no seed such as %s', (seed) => {
    expect(() => random({ seed })).toThrow(RangeError);
  });
});
