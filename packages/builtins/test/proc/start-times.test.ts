import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { descriptorLink } from '../../src/proc-file.js';
import { shownStat, startTimes } from '../../src/proc/start-times.js';
import { VirtualBoot } from '../../src/proc/virtual-boot.js';
import { startClock } from '../../src/time/virtual-clock.js';

const REST = Array.from({ length: 30 }, (_, i) => 23 + i).join(' ');
const line = (name: string, state = 'S', start = '5000', wchan = '35') => Buffer.from(
  `77 (${name}) ${state} ${Array.from({ length: 18 }, (_, i) => 4 + i).join(' ')} ${start} ${REST.replace(' 35 ', ` ${wchan} `)}\n`, 'latin1');
const minus4000 = (ticks: number) => ticks - 4000;

describe('a line of /proc/<pid>/stat', () => {
  it.each(['sh', 'a b', ') R 1 2 3', '(', ')', ') ', '\xff\xfe', ''])('has another start, whatever the name: "%s"', (name) => {
    expect(shownStat(line(name), minus4000, false)).toEqual(line(name, 'S', '1000'));
  });

  it('is of one that runs, for whoever asks for its own', () => {
    expect(shownStat(line('sh'), minus4000, true)).toEqual(line('sh', 'R', '1000', '0'));
  });

  it('is none without a name, cut off, or with something else for a start', () => {
    const whole = String(line('sh'));
    for (const each of ['', '\n', '77 sh S 4\n', whole.slice(0, -1), '77 (sh) S 4 5\n', String(line('sh', 'S', '-1')), String(line('sh', 'S', 'x'))]) {
      expect(() => shownStat(Buffer.from(each), minus4000, false)).toThrow('no line');
    }
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
  const open = () => readdirSync('/proc/self/fd').map((fd) => descriptorLink(process.pid, fd));

  it('is that of the process or thread under the name it was found by', async () => {
    const content = startTimes(members(() => true), boot);
    const thread = Number(readdirSync('/proc/self/task').find((tid) => Number(tid) !== process.pid));
    for (const name of [`/proc/${process.pid}/stat`, `/proc/${process.pid}/task/${process.pid}/stat`, `/proc/${process.pid}/task/${thread}/stat`]) {
      const pid = name.includes(String(thread)) ? thread : process.pid;
      expect(String(content(about(pid, name)))).toMatch(new RegExp(`^${pid} \\(`));
    }
    const child = started('sleep', '60');
    child.kill('SIGSTOP');
    await expect.poll(() => statOf(child.pid!)[0]).toBe('T');
    const machines = readFileSync(`/proc/${child.pid!}/stat`);
    expect(content(about(child.pid!))).toEqual(shownStat(machines, (ticks) => boot.ticksSince(ticks), false));
    // All threads together, and one.
    const ticks = (text: unknown) => Number(String(text).replace(/.*\) /s, '').split(' ')[14 - 3]);
    const all = ticks(content(about(process.pid)));
    expect(all).toBeGreaterThan(0);
    expect(ticks(content(about(thread, `/proc/${process.pid}/task/${thread}/stat`)))).toBeLessThan(all);
  });

  it('is nobody else\'s', () => {
    const asked: number[] = [];
    const content = startTimes(members((pid) => { asked.push(pid); return false; }), boot);
    expect(content(about(process.ppid))).toBeUndefined();
    expect(asked).toEqual([process.ppid]);
    expect(startTimes(members(() => true), boot)(about(process.ppid))).toBeDefined();
  });

  it('is of the one that was a member, whoever has its number before or after', async () => {
    // Ended by its parent as soon as that is told, and waited for at once.
    const parent = started('sh', '-c', 'sleep 60 & echo $!; read line; kill -9 $!; wait $! 2>/dev/null; read line');
    const pid = Number(String((await once(parent.stdout!, 'data') as [Buffer])[0]));
    const name = `/proc/${pid}/stat`;
    expect(startTimes(members(() => true), boot)(about(pid))).toBeDefined();
    const looks: boolean[] = [];
    const replaced = members(() => {
      looks.push(open().includes(name)); // who it is was settled before
      parent.stdin!.write('\n');
      for (const until = Date.now() + 10_000; existsSync(name) && Date.now() < until;);
      return !existsSync(name); // as if another had the number now, which is a member
    });
    expect(startTimes(replaced, boot)(about(pid))).toBeUndefined();
    expect(looks).toEqual([true]);
    expect(open()).not.toContain(name);
  });

  it('is not there when the process is gone', () => {
    expect(startTimes(members(() => true), boot)(about(2 ** 22 + 1))).toBeUndefined();
  });
});
