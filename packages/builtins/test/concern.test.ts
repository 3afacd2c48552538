import { describe, expect, it } from 'vitest';

import { concern } from '../src/views/concern.js';

const views = ['/etc/hosts', '/proc/cpuinfo', '/sys/devices/system/cpu/online'];
const concerned = (path: string, base = '', procGranted = true): boolean => concern(views, ['/srv'], procGranted).mayConcern(Buffer.from(path, 'latin1'), base);

describe('a path concerns views', () => {
  it.each(['/etc/hosts', '/etc', '/etc/', '/', '//etc//hosts', '/usr/../etc/./hosts', '/proc', '/proc/1/environ', '/dev/fd/3', '/dev/stdin', '/etc/mtab',
    '/dev/fd/../../usr', '/proc/self/root/usr', '/usr/../proc/../usr', '/sys/devices/system/cpu', '/srv', '/sys'])('if it is %s', (path) => {
    expect(concerned(path)).toBe(true);
  });

  it.each(['/etc/hosts.allow', '/etc/passwd', '/usr/lib', '/procs', '/proc.d/x', '/dev/fdx', '/srv/x', '/usr/proc', '/etc/hosts/x', '/sys/devices/system/cpu/cpu0', '/usr/lib/gcc/../../etc'])('and not if it is %s', (path) => {
    expect(concerned(path)).toBe(false);
  });

  it('by where it starts', () => {
    expect(['hosts', './hosts', '../etc/hosts'].map((path) => concerned(path, '/etc'))).toEqual([true, true, true]);
    expect([concerned('etc/hosts', '/'), concerned('status', '/proc/7'), concerned('../../usr', '/proc/7'), concerned('hosts', '/usr')]).toEqual([true, true, true, false]);
  });

  it('below /proc only where something there is granted', () => {
    expect(['/proc/self/status', '/dev/stdin', '/proc', '/dev'].map((path) => concerned(path, '', false))).toEqual([false, false, false, false]);
    expect(['/etc/hosts', '/'].map((path) => concerned(path, '', false))).toEqual([true, true]);
  });
});
