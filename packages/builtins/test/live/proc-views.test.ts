import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { proc, ProcessTree, startClock, views, watchedFdBase, type ProcOptions } from '../../src/index.js';
import { python } from './python.js';
import { endAll, hasPython, Sandboxed } from './sandboxed.js';

const MIB = 2 ** 20;
const BASE = watchedFdBase(1024);
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await endAll();
});

function families(options: Partial<ProcOptions> = {}) {
  return (guardPid: () => number) => {
    const members = new ProcessTree(guardPid);
    const family = proc({ members, guardPid, watchedFdBase: BASE, ...options });
    const grants = { mayRead: () => true, mayWrite: () => true };
    return [views({ views: family.views, grants, members, watchedFdBase: BASE, procGranted: true }), family];
  };
}

const has = (program: string): boolean => spawnSync('which', [program]).status === 0;

async function shell(command: string, options?: Partial<ProcOptions>): Promise<string> {
  const { stdout, stderr } = await new Sandboxed(['/bin/bash', '-c', command], families(options)).done;
  expect(stderr).toBe('');
  return stdout;
}

const memory = { limitBytes: 256 * MIB, usedBytes: () => 56 * MIB };

describe('programs that read /proc [needs Linux 5.14]', () => {
  it.skipIf(!has('free'))('free(1) counts the limit and what is left of it', async () => {
    const lines = (await shell('free -k', { memory })).split('\n').map((line) => line.split(/\s+/).slice(0, 4));
    expect(lines[1]).toEqual(['Mem:', '262144', '57344', '204800']);
    expect(lines[2]).toEqual(['Swap:', '0', '0', '0']);
  });

  it.skipIf(!has('uptime'))('uptime(1) and top(1) show no load', async () => {
    expect(await shell('uptime; top -b -n1 | head -3')).toMatch(/load average: 0\.00, 0\.00, 0\.00\n[^]*load average: 0\.00, 0\.00, 0\.00\nTasks: +3 total/);
  });

  it.skipIf(!has('uptime'))('uptime(1) starts with a sandbox that has a time of its own', async () => {
    expect(await shell('uptime', { time: startClock(0n) })).toMatch(/up 0 min/);
    expect(await shell('cat /proc/uptime', { time: startClock(0n) })).toMatch(/^\d\.\d\d 0\.00\n$/);
    expect(await shell('cat /proc/stat', { time: startClock(981_173_106_999_999_999n) })).toContain('btime 981173106\n');
  });

  it('grep, getconf and lscpu count the same processors', async () => {
    expect(await shell('grep -c ^processor /proc/cpuinfo; grep -c "^cpu[0-9]" /proc/stat; cat /sys/devices/system/cpu/{online,possible,present}', { numCpus: 3 }))
      .toBe('3\n3\n0-2\n0-2\n0-2\n');
    expect(await shell('getconf _NPROCESSORS_CONF', { numCpus: 3 })).toBe('3\n');
  });

  it.skipIf(!has('lscpu'))('lscpu(1) finds the machine\'s abilities under our model', async () => {
    const text = await shell('lscpu', { numCpus: 1 });
    expect(text).toMatch(/^CPU\(s\): +1$/m);
    expect(text).toMatch(/^Model name: +Virtual CPU$/m);
    const flags = /^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1];
    if (flags !== undefined) expect(text).toContain(flags);
  });

  it.skipIf(!has('vmstat'))('vmstat(8) counts nothing of the machine', async () => {
    expect((await shell('vmstat', { memory })).split('\n')[2]!.trim().split(/\s+/).slice(1, 12)).toEqual(['0', '0', '204800', '0', '0', '0', '0', '0', '0', '0', '0']);
  });

  it('df(1) and findmnt(8) have one file system', async () => {
    expect(await shell('df --output=source,target | tail -n +2; cat /proc/mounts /proc/self/mountinfo /proc/self/mountstats')).toBe(
      'rootfs         /\nrootfs / rootfs rw 0 0\n20 1 0:1 / / rw - rootfs rootfs rw\ndevice rootfs mounted on / with fstype rootfs\n');
  });

  it('say nothing of the machine\'s groups, locks, swap and pressure', async () => {
    expect(await shell('cat /proc/self/cgroup /proc/self/cpuset /proc/swaps /proc/locks; cut -f2,3 /proc/cgroups | sort -u; cat /proc/pressure/cpu')).toBe(
      '0::/\n/\nFilename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n0\t1\nhierarchy\tnum_cgroups\n'
      + 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n');
  });

  it('say nothing of how the machine was started, its disks, interrupts and interfaces', async () => {
    expect(await shell('cd /proc; cat cmdline diskstats partitions sys/kernel/domainname; cat interrupts; sed 1q softirqs; sed 1d softirqs | tr -s " " | cut -d: -f2 | sort -u', { numCpus: 2 })).toBe(
      `\nmajor minor  #blocks  name\n\n(none)\n${' '.repeat(11)}CPU0       CPU1       \n${' '.repeat(20)}CPU0       CPU1       \n 0 0\n`);
    const interfaces = readdirSync('/proc/sys/net/ipv4/conf');
    expect(interfaces).toContain('lo');
    expect(await python(families(), `
def opened(path):
    try: os.close(os.open(path, os.O_RDONLY))
    except OSError as error: return errno.errorcode[error.errno]
    return 'ok'
print(json.dumps([[name, opened('/proc/sys/net/ipv4/conf/%s/forwarding' % name), opened('/proc/sys/net/ipv4/conf/%s' % name)] for name in sys.argv[1:]]
  + [opened('/proc/' + name) for name in ('sys/net/ipv4/conf', 'sys/net/ipv4/neigh/', 'zoneinfo', 'buddyinfo', 'iomem', 'irq', 'bus', 'sys/net/core/somaxconn', 'sys/net/ipv4', 'filesystems')]))`, ...interfaces)).toEqual([
      ...interfaces.map((name) => [name, ...Array<string>(2).fill(['all', 'default', 'lo'].includes(name) ? 'ok' : 'EACCES')]),
      ...Array<string>(7).fill('EACCES'), 'ok', 'ok', 'ok',
    ]);
  });

  it('have a boot id of the sandbox\'s, the same all the time', async () => {
    const machine = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
    const [first, second] = (await shell('cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/boot_id')).split('\n');
    expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(second).toBe(first);
    expect(`${first}\n`).not.toBe(machine);
  });
});

describe.skipIf(!hasPython)('load and processor time [needs Linux 5.14, python3]', () => {
  it('are those of the members', async () => {
    const result = await python(families(), `
import time
def cpu(): return [int(n) for n in open('/proc/stat').readline().split()[1:5]]
def load(): return open('/proc/loadavg').read().split()
before = cpu()
ready, release = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    end = time.process_time() + 0.5
    while time.process_time() < end: pass
    os.write(ready[1], b'x'); os.read(release[0], 1); os._exit(0)
os.read(ready[0], 1)
during, at = cpu(), load()
os.write(release[1], b'x'); os.waitpid(child, 0)
after = cpu()
say({'used': during[0] + during[2] - before[0] - before[2], 'kept': after[0] >= during[0], 'idle': after[3] > 0, 'load': at[:3], 'counts': at[3], 'last': int(at[4]) == child})
`) as { used: number };
    expect(result).toMatchObject({ kept: true, idle: true, load: ['0.00', '0.00', '0.00'], counts: '1/2', last: true });
    expect(result.used).toBeGreaterThanOrEqual(40); // half a second in hundredths
    expect(result.used).toBeLessThan(200);
  });
});

describe.skipIf(!hasPython)('network tables [needs Linux 5.14, python3]', () => {
  it('have the sockets of the sandbox, whoever of it has them, and no others', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    const foreign = (server.address() as { port: number }).port;
    const result = await python(families(), `
def ports(name): return [int(line.split()[1].split(':')[1], 16) for line in open('/proc/net/' + name).read().splitlines()[1:]]
empty = {name: ports(name) for name in ('tcp', 'tcp6', 'udp', 'udp6', 'raw')}
tcp = socket.socket(); tcp.bind(('127.0.0.1', 0)); tcp.listen()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('127.0.0.1', 0))
ours = socket.socket(socket.AF_UNIX); ours.bind('\\0sandlock-test-' + str(os.getpid()))
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); netlink.bind((0, 0))
def lines(name): return open('/proc/net/' + name).read().splitlines()[1:]
child = os.fork()
if child == 0:
    for s in (tcp, udp, ours, netlink): s.close()
    import time; time.sleep(0.2)
    os._exit(0 if ports('tcp') else 1)
say({'empty': empty, 'tcp': ports('tcp') == [tcp.getsockname()[1]], 'udp': ports('udp') == [udp.getsockname()[1]], 'unix': [l.split()[-1] == '@sandlock-test-%d' % os.getpid() for l in lines('unix')],
     'netlink': len(lines('netlink')), 'sockstat': open('/proc/net/sockstat').read().splitlines()[:3], 'parent': os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]),
     'machine': ${foreign} in ports('tcp'), 'dev': [l.split()[0] for l in lines('dev')[1:]], 'route': lines('route'), 'inet6': open('/proc/net/if_inet6').read().split()[-1:],
     'counters': sorted(set(n for l in lines('snmp')[::2] for n in l.split()[1:])), 'refused': call(open, '/proc/net/ptype')})
`);
    expect(result).toEqual({
      empty: { tcp: [], tcp6: [], udp: [], udp6: [], raw: [] }, tcp: true, udp: true, unix: [true], netlink: 1,
      sockstat: ['sockets: used 4', 'TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0', 'UDP: inuse 1 mem 0'], parent: 0,
      machine: false, dev: ['lo:'], route: [], inet6: ['lo'], counters: ['0'], refused: 'EACCES',
    });
    expect(readFileSync('/proc/net/tcp', 'latin1')).toContain(`:${foreign.toString(16).toUpperCase().padStart(4, '0')} `);
  });

  it('have the same name in the directory of every process and thread', async () => {
    const forms = await python(families(), `
import time
child = os.fork()
if child == 0: time.sleep(1000); os._exit(0)
pid, tid = os.getpid(), threading.get_native_id()
proc = os.open('/proc', os.O_RDONLY)
own = ['self', 'thread-self', str(pid), '%d/task/%d' % (pid, tid), 'self/task/%d' % tid, str(child), '%d/task/%d' % (child, child)]
def read(path, dir_fd=None):
    with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=dir_fd)) as file: return file.read()
result = {}
for name in ('mounts', 'mountinfo', 'mountstats', 'cgroup', 'net/tcp', 'net/unix', 'net/dev', 'net/route', 'net/netlink'):
    ways = ['/proc/%s/%s' % (each, name) for each in own]
    texts = [read(way) for way in ways] + [read(way[6:], proc) for way in ways]
    if name == 'mounts' or name.startswith('net/'): texts.append(read('/proc/' + name))
    result[name] = sorted(set(len(text.splitlines()) for text in texts))
result['unknown'] = sorted(set(str(call(os.open, '/proc/%s/net/ptype' % each, os.O_RDONLY)) for each in own))
result['devices'] = call(os.listdir, '/proc/self/net/dev_snmp6')
os.kill(child, 9); os.waitpid(child, 0)
say(result)
`);
    expect(forms).toEqual({
      'mounts': [1], 'mountinfo': [1], 'mountstats': [1], 'cgroup': [1], 'net/tcp': [1], 'net/unix': [1], 'net/dev': [3], 'net/route': [1],
      'net/netlink': [1], 'unknown': ['EACCES'], 'devices': 'EACCES',
    });
  });

  it.skipIf(!existsSync('/bin/netstat') && !has('netstat'))('are what netstat(8) shows', async () => {
    expect((await shell('netstat -an')).split('\n').filter((line) => /^(tcp|udp|raw|unix)/.test(line))).toEqual([]);
  });
});
