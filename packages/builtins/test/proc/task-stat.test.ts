import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { descriptorLink } from '../../src/proc-file.js';
import { maskOf } from '../../src/cpu/cpu-mask.js';
import { VisibleCpus } from '../../src/cpu/visible-cpus.js';
import { shownStatus } from '../../src/proc/task-cpus.js';
import { taskFile } from '../../src/proc/task-file.js';
import { shownStat } from '../../src/proc/task-stat.js';
import { VirtualBoot } from '../../src/proc/virtual-boot.js';
import { startClock } from '../../src/time/virtual-clock.js';

const REST = Array.from({ length: 30 }, (_, i) => 23 + i).join(' ');
const line = (name: string, { state = 'S', start = '5000', wchan = '35', processor = '39' } = {}) => (
  `77 (${name}) ${state} ${Array.from({ length: 18 }, (_, i) => 4 + i).join(' ')} ${start} ${REST.replace(' 35 ', ` ${wchan} `).replace(' 39 ', ` ${processor} `)}\n`);
const minus4000 = { ticksSince: (ticks: number) => ticks - 4000 };
const other = { cpus: undefined, asks: false };

describe('a line of /proc/<pid>/stat', () => {
  it.each(['sh', 'a b', ') R 1 2 3', '(', ')', ') ', '\xff\xfe', ''])('has another start, whatever the name: "%s"', (name) => {
    expect(shownStat(line(name), minus4000, other)).toBe(line(name, { start: '1000' }));
    expect(shownStat(line(name), undefined, other)).toBe(line(name));
  });

  it('is of one that runs, for whoever asks for its own', () => {
    expect(shownStat(line('sh'), minus4000, { cpus: undefined, asks: true })).toBe(line('sh', { state: 'R', start: '1000', wchan: '0' }));
  });

  it('is on a processor that is seen', () => {
    const on = (...cpus: number[]) => shownStat(line('sh'), undefined, { cpus: maskOf(cpus), asks: false });
    expect(on(0, 1)).toBe(line('sh', { processor: '0' }));
    expect(on(3, 40)).toBe(line('sh', { processor: '3' }));
    expect(on(3, 39)).toBe(line('sh'));
  });

  it('is none without a name, cut off, or with something else for a start', () => {
    const whole = line('sh');
    for (const each of ['', '\n', '77 sh S 4\n', whole.slice(0, -1), '77 (sh) S 4 5\n', line('sh', { start: '-1' }), line('sh', { start: 'x' }), line('sh', { processor: '-' })]) {
      expect(() => shownStat(each, minus4000, other)).toThrow('no line');
    }
  });
});

describe('the status of a process', () => {
  const machines = 'Name:\ta\\nCpus_allowed:\t1\nState:\tS (sleeping)\nTgid:\t7\nCpus_allowed:\t0,0000000c\nCpus_allowed_list:\t2-3\nMems_allowed:\t00000001\nMems_allowed_list:\t0\n';

  it('names the processors that are seen, and memory as it is', () => {
    expect(shownStatus(machines, { cpus: maskOf([0, 1, 33]), asks: false })).toBe(
      machines.replace('0,0000000c', '2,00000003').replace('list:\t2-3', 'list:\t0-1,33'));
  });

  it('is of one that runs, for whoever asks for its own', () => {
    expect(shownStatus(machines, { cpus: undefined, asks: true })).toBe(machines.replace('S (sleeping)', 'R (running)'));
  });
});

const bootTime = () => Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'latin1'))![1]);
const statOf = (pid: number | string) => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ');
const startOf = (pid: number | string) => Number(statOf(pid)[22 - 3]);
const machinesTicks = () => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]!.replace('.', ''));

describe('the start of a machine with a clock of its own', () => {
  it.each([0n, 981_173_106n, 4_000_000_000n])('is when the clock began, at whole second %s', async (start) => {
    const before = machinesTicks();
    const clock = startClock(start * 1_000_000_000n);
    await new Promise((resolve) => setTimeout(resolve, 50)); // as much later as it likes
    const boot = new VirtualBoot(clock);
    const after = machinesTicks();
    expect(boot.bootTime(bootTime())).toBe(Number(start));
    expect(boot.bootTime(bootTime() - 3600)).toBe(Number(start) - 3600); // somebody has set the machine's clock
    expect(boot.ticksSince(after + 1000)).toBeGreaterThanOrEqual(1000);
    expect(boot.ticksSince(after + 1000)).toBeLessThan(1000 + after - before);
    expect(boot.ticksSince(before)).toBe(0); // nothing was started before
    expect([boot.ticksSince(startOf('self')), boot.ticksSince(0)]).toEqual([0, 0]);
  });

  it('is no later than what has been started since, and that no later than now', async () => {
    const boot = new VirtualBoot(startClock(0n));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const child = started('sleep', '60');
    const start = boot.ticksSince(startOf(child.pid!));
    expect(start).toBeGreaterThan(5);
    expect(boot.uptimeTicks()).toBeGreaterThanOrEqual(start);
    expect(boot.uptimeTicks()).toBeLessThan(start + 1000);
  });

  it('is now, for a clock that stands still', async () => {
    const boot = new VirtualBoot(startClock(981_173_106_999_999_999n, { frozen: true }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([boot.bootTime(bootTime()), boot.uptimeTicks(), boot.ticksSince(machinesTicks())]).toEqual([981_173_106, 0, 0]);
  });
});

const children: ChildProcess[] = [];
function started(program: string, ...args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}
afterEach(() => { for (const child of children.splice(0)) child.kill('SIGKILL'); });

describe('the line of a member', () => {
  const boot = new VirtualBoot(startClock(0n));
  const asker = { pid: process.pid, tgid: process.pid };
  const members = (isMember: (pid: number) => boolean) => ({ isMember, pids: () => [], count: () => 0 });
  const about = (pid: number, name = `/proc/${pid}/stat`) => ({ asker, subject: { pid, tgid: pid }, name });
  const startTimes = (who: ReturnType<typeof members>) => taskFile(who, undefined, (text, task) => shownStat(text, boot, task));
  const open = () => readdirSync('/proc/self/fd').map((fd) => descriptorLink(process.pid, fd));

  it('is that of the process or thread under the name it was found by', async () => {
    const content = startTimes(members(() => true));
    const thread = Number(readdirSync('/proc/self/task').find((tid) => Number(tid) !== process.pid));
    for (const name of [`/proc/${process.pid}/stat`, `/proc/${process.pid}/task/${process.pid}/stat`, `/proc/${process.pid}/task/${thread}/stat`]) {
      const pid = name.includes(String(thread)) ? thread : process.pid;
      expect(String(content(about(pid, name)))).toMatch(new RegExp(`^${pid} \\(`));
    }
    const child = started('sleep', '60');
    child.kill('SIGSTOP');
    await expect.poll(() => statOf(child.pid!)[0]).toBe('T');
    const machines = readFileSync(`/proc/${child.pid!}/stat`, 'latin1');
    expect(String(content(about(child.pid!)))).toBe(shownStat(machines, boot, other));
    // All threads together, and one.
    const ticks = (text: unknown) => Number(String(text).replace(/.*\) /s, '').split(' ')[14 - 3]);
    const all = ticks(content(about(process.pid)));
    expect(all).toBeGreaterThan(0);
    expect(ticks(content(about(thread, `/proc/${process.pid}/task/${thread}/stat`)))).toBeLessThan(all);
  });

  it('names processors as the call does', () => {
    const status = taskFile(members(() => true), new VisibleCpus({ numCpus: 3 }), shownStatus);
    expect(String(status(about(process.pid, `/proc/${process.pid}/status`)))).toMatch(/^State:\tR \(running\)$[^]*^Cpus_allowed:\t0*7\nCpus_allowed_list:\t0-2$/m);
  });

  it('is nobody else\'s', () => {
    const asked: number[] = [];
    const content = startTimes(members((pid) => { asked.push(pid); return false; }));
    expect(content(about(process.ppid))).toBeUndefined();
    expect(asked).toEqual([process.ppid]);
    expect(startTimes(members(() => true))(about(process.ppid))).toBeDefined();
  });

  it('is of the one that was a member, whoever has its number before or after', async () => {
    // Ended by its parent as soon as that is told, and waited for at once.
    const parent = started('sh', '-c', 'sleep 60 & echo $!; read line; kill -9 $!; wait $! 2>/dev/null; read line');
    const pid = Number(String((await once(parent.stdout!, 'data') as [Buffer])[0]));
    const name = `/proc/${pid}/stat`;
    expect(startTimes(members(() => true))(about(pid))).toBeDefined();
    const looks: boolean[] = [];
    const replaced = members(() => {
      looks.push(open().includes(name)); // who it is was settled before
      parent.stdin!.write('\n');
      for (const until = Date.now() + 10_000; existsSync(name) && Date.now() < until;);
      return !existsSync(name); // as if another had the number now, which is a member
    });
    expect(startTimes(replaced)(about(pid))).toBeUndefined();
    expect(looks).toEqual([true]);
    expect(open()).not.toContain(name);
  });

  it('is not there when the process is gone', () => {
    expect(startTimes(members(() => true))(about(2 ** 22 + 1))).toBeUndefined();
  });
});
