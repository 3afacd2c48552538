import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { capget, capset, setfsgid, setfsuid, setgroups } from '../src/index.js';

/** Of the thread that asks, and not of the process. */
const status = (field: string): string => (
  new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync('/proc/thread-self/status', 'latin1'))![1]!.trim());
const capabilities = (field: string): bigint => BigInt(`0x${status(field)}`);

describe('credentials', () => {
  it('are those that the kernel shows', () => {
    expect(capget()).toEqual({ effective: capabilities('CapEff'), permitted: capabilities('CapPrm'), inheritable: capabilities('CapInh') });
  });

  it('can be laid down and taken up again', () => {
    const own = capget();
    capset({ ...own, effective: 0n });
    try {
      expect([capabilities('CapEff'), capabilities('CapPrm')]).toEqual([0n, own.permitted]);
    } finally {
      capset(own);
    }
    expect(capget()).toEqual(own);
    expect(() => capset({ ...own, permitted: 2n ** 64n - 1n })).toThrow('EPERM');
  });

  it.skipIf(process.getuid!() !== 0)('of files can be another user\'s, for this thread alone [needs root]', () => {
    const own = capget();
    const groups = process.getgroups!();
    const before = [setfsgid(4243), setfsuid(4242)];
    setgroups([7, 70000]);
    try {
      expect([status('Uid').split('\t')[3], status('Gid').split('\t')[3], status('Groups')]).toEqual(['4242', '4243', '7 70000']);
      expect(() => readFileSync('/proc/1/environ')).toThrow('EACCES');
    } finally {
      expect([setfsuid(before[1]!), setfsgid(before[0]!)]).toEqual([4242, 4243]);
      setgroups(groups);
      capset(own);
    }
    expect(process.getgroups!()).toEqual(groups);
  });
});
