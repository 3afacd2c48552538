import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { totalmem, uptime } from 'node:os';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

import {
  close, errnoName, getpgid, kill, landlockAbiVersion, landlockAddPortRule, landlockCreateRuleset, landlockErrata, pidfdOpen, pidfdSendSignal, prlimit, processVmReadv,
  processVmWritev, reapPidfd, RLIMIT_LOCKS, signals, sysinfo, uname, UTSNAME_FIELD_BYTES,
} from '../src/index.js';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;

/** A process that waits; its arguments are in its memory, at an address that /proc tells. */
async function waiting(argument: string): Promise<{ pid: number; address: bigint; end: () => Promise<void> }> {
  const child = spawn('/bin/sleep', ['1000', argument].slice(0, 1), { argv0: argument, stdio: 'ignore' });
  await once(child, 'spawn');
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid: child.pid!,
    address: BigInt(fields[45]!), // arg_start, field 48 of proc_pid_stat(5)
    end: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('the memory of a child', () => {
  it('is read and written at its addresses', async () => {
    const child = await waiting('an-argument');
    const buffer = Buffer.alloc(16, '.');
    expect(processVmReadv(child.pid, child.address, buffer, 2, 11)).toBe(11);
    expect(buffer.toString()).toBe('..an-argument...');
    expect(processVmWritev(child.pid, child.address, Buffer.from('..AN'), 2, 2)).toBe(2);
    expect(readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').split('\0')[0]).toBe('AN-argument');
    await child.end();
  });

  it('where nothing is mapped is EFAULT, and of nobody ESRCH', async () => {
    const child = await waiting('x');
    expect(errnoName(processVmReadv(child.pid, 8n, Buffer.alloc(4), 0, 4))).toBe('EFAULT');
    await child.end();
    expect(errnoName(processVmReadv(child.pid, child.address, Buffer.alloc(4), 0, 4))).toBe('ESRCH');
  });

  it('is never written past the buffer', async () => {
    const child = await waiting('x');
    for (const [offset, length] of [[0, 5], [4, 1], [-1, 2], [0xffffffff, 2]] as const) {
      expect(processVmReadv(child.pid, child.address, Buffer.alloc(4), offset, length)).toBeLessThan(0);
    }
    expect(processVmReadv(child.pid, child.address, Buffer.alloc(4), 3, 1)).toBe(1);
    await child.end();
  });
});

describe('processes', () => {
  it('are signalled by pidfd and by number', async () => {
    const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
    const pidfd = pidfdOpen(child.pid!);
    expect(getpgid(child.pid!)).toBe(getpgid(0));
    kill(child.pid!, 0);
    const exit = once(child, 'exit');
    pidfdSendSignal(pidfd, signals.SIGTERM);
    expect(await exit).toEqual([null, 'SIGTERM']);
    expect(() => pidfdSendSignal(pidfd, 0)).toThrow(code('ESRCH'));
    expect(() => reapPidfd(pidfd)).toThrow(code('ECHILD')); // libuv was quicker
    close(pidfd);
  });

  it('that are not there are ESRCH', () => {
    expect(() => pidfdOpen(0x3fffffff)).toThrow(code('ESRCH'));
    expect(() => getpgid(0x3fffffff)).toThrow(code('ESRCH'));
  });

  it('have limits, which their children inherit', async () => {
    const child = spawn('/bin/sh', ['-c', 'read line; cat /proc/self/limits'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const before = prlimit(0, RLIMIT_LOCKS);
    expect(prlimit(child.pid!, RLIMIT_LOCKS, { soft: 4711n, hard: 4712n })).toEqual(before);
    expect(prlimit(child.pid!, RLIMIT_LOCKS)).toEqual({ soft: 4711n, hard: 4712n });
    expect(() => prlimit(child.pid!, RLIMIT_LOCKS, { soft: 4713n, hard: 4712n })).toThrow(code('EINVAL'));
    const said = text(child.stdout);
    child.stdin.end('go\n');
    expect(await said).toMatch(/^Max file locks +4711 +4712 /m);
    expect(() => prlimit(0x3fffffff, RLIMIT_LOCKS)).toThrow(code('ESRCH'));
  });

  it('share a machine with so much memory, that has been up for so long', () => {
    const { uptimeSeconds, totalBytes, freeBytes } = sysinfo();
    expect(totalBytes).toBe(totalmem());
    expect(freeBytes).toBeGreaterThan(0);
    expect(freeBytes).toBeLessThan(totalBytes);
    expect(Math.abs(uptimeSeconds - uptime())).toBeLessThanOrEqual(60);
  });

  it('run on a kernel with a name', () => {
    const release = uname().subarray(2 * UTSNAME_FIELD_BYTES, 3 * UTSNAME_FIELD_BYTES);
    expect(release.toString('latin1', 0, release.indexOf(0))).toBe(readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim());
  });
});

describe('Landlock', () => {
  const abi = landlockAbiVersion();

  it('tells its version and its errata', () => {
    expect(Number.isInteger(abi) && abi >= 0).toBe(true);
    expect(landlockErrata()).toBeGreaterThanOrEqual(0);
  });

  it.skipIf(abi < 4)('makes rulesets, and refuses what it does not know [needs Landlock ABI 4, Linux 6.7]', () => {
    const fd = landlockCreateRuleset(1n, 1n, 0n);
    landlockAddPortRule(fd, 1n, 443);
    expect(() => landlockAddPortRule(fd, 1n, 65536)).toThrow(code('EINVAL'));
    expect(() => landlockAddPortRule(fd, 2n, 443)).toThrow(code('EINVAL')); // a right the ruleset does not handle
    close(fd);
    expect(() => landlockCreateRuleset(1n << 63n, 0n, 0n)).toThrow(code('EINVAL'));
    expect(() => landlockCreateRuleset(0n, 0n, 0n)).toThrow(code('ENOMSG'));
  });
});
