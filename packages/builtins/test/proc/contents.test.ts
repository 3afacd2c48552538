import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { firstCpus, maskOf } from '../../src/cpu/cpu-mask.js';
import { isOtherCpu } from '../../src/proc/cpu-directories.js';
import { cpuInfo } from '../../src/proc/cpuinfo.js';
import { bootTimeOf, cpusOf, kernelStat } from '../../src/proc/kernel-stat.js';
import { LoadAverage, loadAverageLine } from '../../src/proc/load-average.js';
import { memInfo } from '../../src/proc/meminfo.js';
import { cgroups, locks, vmStat } from '../../src/proc/small-tables.js';
import { sysinfoRecord } from '../../src/proc/sysinfo.js';
import { uptimeLine } from '../../src/proc/uptime.js';

const MIB = 2 ** 20;

const X86 = `processor\t: 4
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R)
stepping\t: 7
microcode\t: 0x5003604
cpu MHz\t\t: 3100.123
cache size\t: 36608 KB
physical id\t: 1
siblings\t: 8
core id\t\t: 3
cpu cores\t: 4
apicid\t\t: 9
initial apicid\t: 9
flags\t\t: fpu sse avx2
bogomips\t: 5999.99
address sizes\t: 46 bits physical, 48 bits virtual
power management:

processor\t: 5
flags\t\t: other

`;

const ARM = `processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd crc32
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

Hardware\t: BCM2835
Serial\t\t: 10000000deadbeef
`;

const RISCV = `processor\t: 0
hart\t\t: 2
isa\t\t: rv64imafdc
mmu\t\t: sv39
mvendorid\t: 0x489
`;

/** Blocks of fields, as most programs parse it. */
function parsed(text: string): Record<string, string>[] {
  return text.split('\n\n').filter((block) => block !== '').map((block) => Object.fromEntries(
    block.split('\n').map((line) => line.split(':').map((part) => part.trim()) as [string, string])));
}

describe('cpuinfo', () => {
  it('has the asked number of processors, numbered anew, with the machine\'s abilities', () => {
    const blocks = parsed(cpuInfo([0, 1, 2], X86));
    expect(blocks.map(({ processor }) => processor)).toEqual(['0', '1', '2']);
    expect(blocks[2]).toMatchObject({
      'vendor_id': 'GenuineIntel', 'flags': 'fpu sse avx2', 'model name': 'Virtual CPU', 'cpu MHz': '2400.000', 'siblings': '3',
      'cpu cores': '3', 'core id': '2', 'physical id': '0', 'apicid': '2',
    });
    expect(blocks[0]).not.toHaveProperty('microcode');
  });

  it('has those of the numbers that are seen', () => {
    expect(parsed(cpuInfo([5, 9], X86)).map((block) => [block['processor'], block['siblings']])).toEqual([['5', '2'], ['9', '2']]);
  });

  it('keeps the layout of the lines, and ends every block with an empty one', () => {
    expect(cpuInfo([0], X86)).toContain('processor\t: 0\nvendor_id\t: GenuineIntel\n');
    expect(cpuInfo([0], X86)).toContain('cpu MHz\t\t: 2400.000\n');
    expect(cpuInfo([0, 1], X86)).toMatch(/power management:\n\nprocessor\t: 1\n[^]*power management:\n\n$/);
  });

  it('knows the fields of ARM and RISC-V, and leaves out a serial number', () => {
    const [arm] = parsed(cpuInfo([0], ARM));
    expect(arm).toEqual({
      'processor': '0', 'BogoMIPS': '4800.00', 'Features': 'fp asimd crc32', 'CPU implementer': '0x41', 'CPU architecture': '8', 'CPU variant': '0x0',
      'CPU part': '0xd08', 'CPU revision': '3', 'model name': 'Virtual CPU', 'cpu MHz': '2400.000',
    });
    expect(parsed(cpuInfo([0, 1], RISCV))[1]).toMatchObject({ processor: '1', hart: '1', isa: 'rv64imafdc', mmu: 'sv39' });
  });

  it('counts processors also where the machine says nothing', () => {
    expect(parsed(cpuInfo([0, 1], ''))).toEqual([0, 1].map((n) => ({ 'processor': String(n), 'model name': 'Virtual CPU', 'cpu MHz': '2400.000' })));
  });
});

describe('directories of processors', () => {
  it('leave no directory of another', () => {
    const names = ['cpu0', 'cpu3', 'cpu4', 'cpu10', 'cpufreq', 'cpuidle', 'online'];
    expect(names.filter((name) => !isOtherCpu(name, firstCpus(4)))).toEqual(['cpu0', 'cpu3', 'cpufreq', 'cpuidle', 'online']);
    expect(names.filter((name) => !isOtherCpu(name, maskOf([4, 10])))).toEqual(['cpu4', 'cpu10', 'cpufreq', 'cpuidle', 'online']);
  });
});

describe('meminfo', () => {
  it('has the limit for the machine\'s memory, and what is left of it', () => {
    const text = memInfo({ limitBytes: 256 * MIB, usedBytes: () => 56 * MIB });
    expect(text).toContain('MemTotal:         262144 kB\nMemFree:          204800 kB\nMemAvailable:     204800 kB\nBuffers:               0 kB\n');
    expect(text).toMatch(/^SwapTotal: +0 kB\nSwapFree: +0 kB$/m);
    expect(text.split('\n').slice(0, -1).every((line) => /^\S+: +\d+( kB)?$/.test(line))).toBe(true);
  });

  it('never has less than nothing left', () => {
    expect(memInfo({ limitBytes: MIB, usedBytes: () => 2 * MIB })).toContain('MemFree:               0 kB');
  });
});

describe('load average', () => {
  it('moves towards what runs, as the kernel\'s', () => {
    const load = new LoadAverage();
    load.sample(2);
    expect(load.averages[0]).toBeCloseTo(2 * (1 - Math.exp(-5 / 60)), 10);
    for (let n = 1; n < 12; n++) load.sample(2);
    const after = (minutes: number): number => 2 * (1 - Math.exp(-1 / minutes)); // a minute from nothing
    [1, 5, 15].forEach((minutes, i) => expect(load.averages[i]).toBeCloseTo(after(minutes), 10));
    for (let n = 0; n < 12; n++) load.sample(0);
    expect(load.averages[0]).toBeCloseTo(after(1) / Math.E, 10);
  });

  it('is a line with whoever asks counted as running, and no more than there are', () => {
    expect(loadAverageLine([0.126, 1, 10], { running: 0, total: 3, lastPid: 77 })).toBe('0.13 1.00 10.00 1/3 77\n');
    expect(loadAverageLine([0, 0, 0], { running: 9, total: 3, lastPid: 0 })).toBe('0.00 0.00 0.00 3/3 0\n');
  });
});

describe('uptime', () => {
  it('has seconds with two digits', () => {
    expect([uptimeLine(123), uptimeLine(0)]).toEqual(['1.23 0.00\n', '0.00 0.00\n']);
  });
});

describe('kernel statistics', () => {
  const text = kernelStat({ cpus: [0, 1], elapsedTicks: 1000, bootTime: 17, processes: 5, running: 0, userTicks: 300, systemTicks: 100 });

  it('divide the members\' time among the processors, the rest was idle', () => {
    expect(text.split('\n').slice(0, 3)).toEqual(['cpu  300 0 100 1600 0 0 0 0 0 0', 'cpu0 150 0 50 800 0 0 0 0 0 0', 'cpu1 150 0 50 800 0 0 0 0 0 0']);
  });

  it('have the lines that programs look for', () => {
    expect(text).toMatch(/\nintr 0\nctxt 0\nbtime 17\nprocesses 5\nprocs_running 1\nprocs_blocked 0\nsoftirq( 0){11}\n$/);
  });

  it('can be read off the machine\'s own', () => {
    const machine = readFileSync('/proc/stat', 'latin1');
    expect(cpusOf(machine).length).toBeGreaterThan(0);
    expect(bootTimeOf(machine)).toBeGreaterThan(1e9);
    expect([cpusOf(text), bootTimeOf(text)]).toEqual([[0, 1], 17]);
  });
});

describe('small tables', () => {
  it('name the machine\'s controllers in one hierarchy', () => {
    expect(cgroups('#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t40\t1\npids\t5\t60\t1\n'))
      .toBe('#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\npids\t0\t1\t1\n');
  });

  it('count nothing but free pages', () => {
    expect(vmStat('nr_free_pages 77\npgfault 8\n', 8192)).toBe('nr_free_pages 2\npgfault 0\n');
    expect(vmStat('nr_free_pages 77\n', undefined)).toBe('nr_free_pages 0\n');
  });

  it('show the locks of members', () => {
    const machine = '1: POSIX  ADVISORY  WRITE 100 fd:00:25 0 EOF\n1: -> POSIX  ADVISORY  WRITE 200 fd:00:25 0 EOF\n2: FLOCK  ADVISORY  WRITE 300 fd:00:9 0 EOF\n3: OFDLCK ADVISORY  READ -1 00:06:1 0 EOF\n';
    expect(locks(machine, (pid) => pid === 200)).toBe('1: -> POSIX  ADVISORY  WRITE 200 fd:00:25 0 EOF\n');
  });
});

describe('struct sysinfo', () => {
  it('has its fields where a program looks', () => {
    const record = sysinfoRecord({ uptimeSeconds: 61.9, loads: [0.5, 1, 2], totalBytes: 256 * MIB, freeBytes: MIB, processes: 7 });
    const at = (offset: number): number => Number(record.readBigUInt64LE(offset));
    expect([at(0), at(8), at(16), at(24), at(32), at(40)]).toEqual([61, 32768, 65536, 131072, 256 * MIB, MIB]);
    expect([record.readUInt16LE(80), record.readUInt32LE(104), record.length]).toEqual([7, 1, 112]);
  });
});
