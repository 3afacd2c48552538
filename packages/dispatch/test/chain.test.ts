import { arg } from '@sandlock/bpf';
import { afterEach, describe, expect, it } from 'vitest';

import { action, DispatchTable, type Handler } from '../src/index.js';
import { closeAll, supervised, turn } from './supervised.js';

afterEach(closeAll);

function noting(seen: string[], name: string, answer = action.continue()): Handler {
  return () => {
    seen.push(name);
    return answer;
  };
}

describe('a chain', () => {
  it('asks families before the user, whatever was registered first, and each in its order', async () => {
    const seen: string[] = [];
    const table = new DispatchTable({ arch: 'x86_64' })
      .on('uname', noting(seen, 'user 1'))
      .family({ name: 'a', handlers: { uname: noting(seen, 'family a') } })
      .on('uname', noting(seen, 'user 2'))
      .family({ name: 'b', handlers: { uname: [noting(seen, 'family b1'), noting(seen, 'family b2')] } });
    const { listener } = supervised(table);
    expect(await listener.notify('uname').answered).toEqual({ kind: 'continue' });
    expect(seen).toEqual(['family a', 'family b1', 'family b2', 'user 1', 'user 2']);
  });

  it('stops at the first answer that is not continue', async () => {
    const seen: string[] = [];
    const { listener, supervisor } = supervised([
      ['getcwd', noting(seen, 'first')],
      ['getcwd', () => { seen.push('second'); return action.errno('EACCES'); }],
      ['getcwd', noting(seen, 'third')],
    ]);
    expect(await listener.notify('getcwd').answered).toEqual({ kind: 'errno', errno: 'EACCES' });
    expect(seen).toEqual(['first', 'second']);
    expect(supervisor.stats()).toMatchObject({ notifications: 1, syscalls: { getcwd: 1 }, answeredBy: { user: 1 } });
  });

  it('skips a handler whose own condition does not hold', async () => {
    const { listener } = supervised([
      ['recvfrom', () => action.errno('EPERM'), { when: arg(4).ne(0) }],
      ['recvfrom', () => action.errno('EIO'), { when: [arg(0).eq(3), arg(3).eq(1)] }],
    ]);
    const answer = async (args: number[]) => (await listener.notify('recvfrom', { args }).answered).errno;
    expect(await answer([3, 0, 0, 1, 7])).toBe('EPERM');
    expect(await answer([3, 0, 0, 1, 0])).toBe('EIO');
    expect(await listener.notify('recvfrom', { args: [3, 0, 0, 2, 0] }).answered).toEqual({ kind: 'continue' });
  });

  it('gives handlers what the registers held', async () => {
    let seen: unknown;
    const { listener } = supervised([['openat', (context) => {
      const { id, pid, flags, nr, name, arch, instructionPointer, args } = context;
      seen = { id, pid, flags, nr, name, arch, instructionPointer, args };
      return action.returnValue(777);
    }]]);
    const args = [-100, 2n ** 64n - 1n, 3, 4, 5, 6];
    const call = listener.notify('openat', { args, pid: 4242, instructionPointer: 0x7fff00001234n });
    expect(await call.answered).toEqual({ kind: 'returnValue', value: 777n });
    expect(seen).toEqual({
      id: call.id, pid: 4242, flags: 0, nr: 257, name: 'openat', arch: 0xc000003e, instructionPointer: 0x7fff00001234n,
      args: [2n ** 64n - 100n, 2n ** 64n - 1n, 3n, 4n, 5n, 6n],
    });
  });

  it('answers ENOSYS where nothing is registered, and for a foreign architecture', async () => {
    const { listener, reports, supervisor } = supervised([['uname', () => action.continue()]]);
    expect((await listener.notify('getpid').answered).errno).toBe('ENOSYS');
    expect((await listener.notify('uname', { auditArch: 0x40000003 }).answered).errno).toBe('ENOSYS');
    expect((await listener.notify(0x40000000 | 63).answered).errno).toBe('ENOSYS');
    expect(await listener.notify('uname').answered).toEqual({ kind: 'continue' });
    await turn();
    expect(reports.map(({ type }) => type)).toEqual(['unexpected', 'unexpected', 'unexpected']);
    expect(supervisor.stats().unexpected).toBe(3);
  });

  it('handles waiting notifications in order', async () => {
    const seen: bigint[] = [];
    const { listener } = supervised([['close', ({ args }) => { seen.push(args[0]!); return action.returnValue(0); }]]);
    const calls = Array.from({ length: 100 }, (_, i) => listener.notify('close', { args: [i] }));
    await Promise.all(calls.map(({ answered }) => answered));
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)));
  });
});
