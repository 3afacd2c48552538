/** What the files of /proc tell a program: of its sandbox, and of what was asked for it, not of the machine. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined } from './calls.js';

const everything: SandboxOptions = { fsReadable: ['/'], fsWritable: ['/dev/null'] };
/** Each starts several programs, on a machine that may be busy. */
const TIME = 60_000;
const has = (program: string): boolean => spawnSync('/usr/bin/which', [program]).status === 0;

async function shell(command: string, options: SandboxOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await new Sandbox({ ...everything, ...options }).run(['/bin/bash', '-c', command], { timeout: 40_000 });
  expect({ exitCode, stderr: String(stderr) }).toEqual({ exitCode: 0, stderr: '' });
  return String(stdout);
}

async function python(program: string, options: SandboxOptions = {}, ...args: string[]): Promise<unknown> {
  const argv = ['/usr/bin/python3', '-I', '-c', `import json, os, sys, threading\n${program}`, ...args];
  const { exitCode, stdout, stderr } = await new Sandbox({ ...everything, ...options }).run(argv, { input: '', timeout: 40_000 }); // what it inherits may be a socket
  expect({ exitCode, stderr: String(stderr) }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(String(stdout));
}

describeConfined('programs that read /proc', () => {
  it.skipIf(!has('free'))('see the memory limit as the machine\'s memory, in every way to ask for it', async () => {
    const [total, , free] = /^Mem: +(\d+) +(\d+) +(\d+)/m.exec(await shell('free -b', { maxMemory: '256M' }))!.slice(1).map(Number);
    expect(total).toBe(256 * 2 ** 20);
    expect(free).toBeGreaterThan(100 * 2 ** 20);
    expect(free).toBeLessThan(256 * 2 ** 20);
    expect(await shell('getconf _PHYS_PAGES; grep -c . /proc/meminfo; python3 -c "import os; print(os.sysconf(\'SC_PHYS_PAGES\') * os.sysconf(\'SC_PAGE_SIZE\'))"', { maxMemory: '256M' }))
      .toMatch(/^65536\n[345]\d\n268435456\n$/);
  }, TIME);

  it('size their heaps by the memory limit, as Node does', async () => {
    const program = 'console.log(process.constrainedMemory(), require("v8").getHeapStatistics().heap_size_limit < 2 ** 29)';
    const node = `${JSON.stringify(process.execPath)} -e '${program}'`;
    expect(await shell(node, { maxMemory: '256M' })).toBe('268435456 true\n');
    expect(await shell('cat /sys/fs/cgroup/memory.max; cat /sys/fs/cgroup/memory.{high,swap.max}', { maxMemory: '64M' })).toBe('67108864\nmax\n0\n');
    expect(await shell(node)).toMatch(/^(?!268435456)\d+ false\n$/); // a machine that runs these tests has more
  }, TIME);

  it('count as many processors as were asked for, in every way to ask for them', async () => {
    expect(await shell('nproc; grep -c ^processor /proc/cpuinfo; grep -c "^cpu[0-9]" /proc/stat; cat /sys/devices/system/cpu/online; getconf _NPROCESSORS_ONLN', { numCpus: 1 }))
      .toBe('1\n1\n1\n0\n1\n');
    expect(await python('print(json.dumps([os.cpu_count(), len(os.sched_getaffinity(0)), sorted(n for n in os.listdir("/sys/devices/system/cpu") if n[3:].isdigit())]))', { numCpus: 1 }))
      .toEqual([1, 1, ['cpu0']]);
  }, TIME);

  it.skipIf(!has('uptime'))('see uptime and the time of the start from when the sandbox began, where its time does', async () => {
    const text = await shell('uptime; date +%Y; grep btime /proc/stat', { timeStart: '2000-01-01T00:00:00Z' });
    expect(text).toMatch(/up 0 min.*load average: 0\.\d\d, 0\.\d\d, 0\.\d\d\n2000\nbtime 946684800\n$/s);
  }, TIME);

  it.skipIf(!has('ps'))('find their own processes and mounts: ps, pgrep, find, df, uptime', async () => {
    expect(await shell('sleep 30 & ps -e -o comm= | sort | xargs; pgrep -c .; find /proc -maxdepth 1 -name "[0-9]*" | wc -l; df --output=source,target | tail -1 | xargs; uptime | grep -o "load.*"; kill %1'))
      .toBe('bash ps sleep sort xargs\n2\n4\nrootfs /\nload average: 0.00, 0.00, 0.00\n');
    expect(await shell('find /proc -maxdepth 2 2>/dev/null | grep -c ^/proc/self/; true')).toBe('0\n'); // a link, which find does not follow
  }, TIME);
});

describeConfined('what /proc has of the machine', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    port = (server.address() as { port: number }).port;
  });
  afterAll(() => server.close());

  it('is not shown by any name of a process\'s own directory', async () => {
    const port16 = port.toString(16).toUpperCase().padStart(4, '0');
    expect(readFileSync('/proc/self/net/tcp', 'latin1')).toContain(`:${port16} `);
    const mountPoints = readFileSync('/proc/self/mounts', 'latin1').split('\n').filter((line) => line !== '').map((line) => line.split(' ')[1]!).filter((path) => path !== '/');
    expect(mountPoints).toContain('/proc');
    expect(await python(`
pid, tid, port, mounted = os.getpid(), threading.get_native_id(), sys.argv[1], set(json.loads(sys.argv[2]))
child = os.fork()
if child == 0: import time; time.sleep(30); os._exit(0)
proc, own = os.open('/proc', os.O_RDONLY), os.open('/proc/self', os.O_RDONLY)
forms = ['/proc/self', '/proc/thread-self', '/proc/%d' % pid, '/proc/%d/task/%d' % (pid, tid), '/proc/self/task/%d' % tid, '/proc/self/root/proc/self', '/proc/%d' % child]
def read(path, dir_fd=None):
    with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=dir_fd)) as file: return file.read()
def kind(path):
    try: return read(path) and 'read'
    except OSError as error: return type(error).__name__
found = set()
for name, column in (('mounts', 1), ('mountinfo', 4), ('mountstats', 4), ('net/tcp', 0), ('net/tcp6', 0), ('net/unix', 7), ('net/udp', 0), ('net/netlink', 0)):
    texts = [read('%s/%s' % (form, name)) for form in forms] + [read(name, own), read('self/' + name, proc)]
    if name == 'mounts' or name.startswith('net/'): texts.append(read('/proc/' + name))
    for text in texts:
        if name.startswith('net/'): found |= {(name, line) for line in text.splitlines()[1:]}
        else: found |= {(name, line) for line in text.splitlines() if line.split()[column] in mounted}
refused = sorted({kind('%s/net/%s' % (form, name)) for form in forms for name in ('protocols', 'ptype', 'softnet_stat')})
devices = sorted({line.split(':')[0].strip() for form in forms for line in read(form + '/net/dev').splitlines()[2:]})
groups = sorted({read(form + '/cgroup') for form in forms})
boot = read('/proc/sys/kernel/random/boot_id')
os.kill(child, 9); os.waitpid(child, 0)
print(json.dumps([sorted(found), refused, devices, groups, boot]))`, {}, port16, JSON.stringify(mountPoints))).toEqual([
      [], ['PermissionError'], ['lo'], ['0::/\n'], expect.not.stringContaining(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    ]);
  }, TIME);

  it('is not asked for where it was not granted', async () => {
    const { stderr, exitCode } = await new Sandbox({ fsReadable: ['/usr', '/etc', '/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true })), maxMemory: '256M' })
      .run(['/bin/cat', '/proc/meminfo', '/proc/loadavg', '/proc/net/tcp', '/proc/self/mounts']);
    expect([exitCode, String(stderr).match(/Permission denied/g)]).toEqual([1, Array(4).fill('Permission denied')]);
  }, TIME);
});
