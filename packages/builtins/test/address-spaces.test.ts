import { SyscallError } from '@sandlock/sys';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { addressSpaces } from '../src/memory/address-spaces.js';

const status = (pid: number, likeness = 'alike') => ({ pid, tid: pid, likeness });
const pids = (statuses: readonly { pid: number }[]) => statuses.map(({ pid }) => pid);
const failing = (code: 'EPERM' | 'ESRCH') => () => { throw new SyscallError('kcmp', -constants.errno[code]); };

describe('address spaces', () => {
  it('are counted once, as kcmp(2) says', () => {
    expect(pids(addressSpaces([status(1), status(2), status(3)], (a, b) => a + b === 3))).toEqual([1, 3]);
  });

  it('are not compared where the counters differ', () => {
    expect(pids(addressSpaces([status(1, 'a'), status(2, 'b')], () => { throw new Error('compared'); }))).toEqual([1, 2]);
  });

  it('of processes that have ended meanwhile count nothing', () => {
    expect(pids(addressSpaces([status(1), status(2)], failing('ESRCH')))).toEqual([1]);
  });

  it('of a thread that has ended meanwhile, and stood for others of its process, is counted', () => {
    expect(pids(addressSpaces([status(1), { ...status(2), tid: 3 }], failing('ESRCH')))).toEqual([1, 2]);
  });

  it('are each process\'s own where nobody may ask, unless a parent waits as vfork does', () => {
    const { pid, ppid } = process; // neither of us waits so
    expect(pids(addressSpaces([status(ppid), status(pid), status(0x7ffffff0)], failing('EPERM')))).toEqual([ppid, pid, 0x7ffffff0]);
  });
});
