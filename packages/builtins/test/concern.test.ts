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

  it('on its way through what is absent, and not through its neighbours', () => {
    const gone = ['/sys/devices/system/cpu/cpu1', '/sys/bus/cpu/devices/cpu1'];
    const { mayConcern, trees } = concern([...views, ...gone], [], false, [], gone);
    const may = (path: string, base = ''): boolean => mayConcern(Buffer.from(path, 'latin1'), base);
    expect(['/sys/devices/system/cpu/cpu1', '/sys/devices/system/cpu/cpu1/topology/core_id', '/sys/bus/cpu/devices/cpu1/online'].map((path) => may(path))).toEqual([true, true, true]);
    expect([may('cpu1/online', '/sys/devices/system/cpu'), may('../cpu1/online', '/sys/devices/system/cpu/cpu0')]).toEqual([true, true]);
    expect(['/sys/devices/system/cpu/cpu0/online', '/sys/devices/system/cpu/cpu10/online', '/sys/bus/cpu/drivers'].map((path) => may(path))).toEqual([false, false, false]);
    // What is told without this look: few, however many are absent.
    expect(trees).toEqual(['/sys/devices/system/cpu', '/sys/bus/cpu/devices']);
  });

  it('below /proc only where something there is granted', () => {
    expect(['/proc/self/status', '/dev/stdin', '/proc', '/dev'].map((path) => concerned(path, '', false))).toEqual([false, false, false, false]);
    expect(['/etc/hosts', '/'].map((path) => concerned(path, '', false))).toEqual([true, true]);
  });
});
