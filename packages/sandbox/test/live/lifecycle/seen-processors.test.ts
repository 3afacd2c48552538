/** Processors and memory that a program seems to have: every call and every file that tells of them tells the same. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { box, grants, python } from './support.js';

const TIME = 60_000;
const CPUS = '/sys/devices/system/cpu';
const NODE = '/sys/devices/system/node/node0';
const last = cpus().length - 1;
const hasNode = existsSync(`${NODE}/meminfo`);
const has = (program: string): boolean => spawnSync('/usr/bin/which', [program]).status === 0;
const wide: SandboxOptions = { fsReadable: [...grants.fsReadable!, '/sys'] };

async function shell(command: string, options: SandboxOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await box({ ...wide, ...options }).run(['/bin/bash', '-c', command], { input: '', timeout: 40_000 });
  expect([String(stderr), exitCode]).toEqual(['', 0]);
  return String(stdout);
}

const PRELUDE = `
import ctypes, errno, json, os, sys, threading
def read(path, dir_fd=None):
    try: fd = os.open(path, os.O_RDONLY, dir_fd=dir_fd)
    except OSError as error: return errno.errorcode[error.errno]
    try: return os.read(fd, 65536).decode('latin1')
    finally: os.close(fd)
def tried(work, *args):
    try: return work(*args) or 'ok'
    except OSError as error: return errno.errorcode[error.errno]
`;

async function run(program: string, options: SandboxOptions, ...args: string[]): Promise<unknown> {
  const { stdout, stderr, exitCode } = await box({ ...wide, ...options }).run([python, '-I', '-c', PRELUDE + program, ...args], { input: '', timeout: 40_000 });
  expect([String(stderr), exitCode]).toEqual(['', 0]);
  return JSON.parse(String(stdout)) as unknown;
}

/** Each with the processors that are seen where 7 are asked for, 1, and some of the machine's. */
const CHOICES: readonly [string, SandboxOptions, string][] = [
  ['as many as were asked for', { numCpus: 7 }, '0-6'],
  ['one', { numCpus: 1 }, '0'],
  ['the first of those that were granted', { numCpus: 1, cpuCores: [last] }, String(last)],
];

describe('a program that counts its processors', () => {
  const count = (list: string) => (list.includes('-') ? Number(list.split('-')[1]) + 1 : 1);

  it.each(CHOICES)('finds %s, in every way', async (_, options, list) => {
    const ways = ['nproc', 'grep -c ^processor /proc/cpuinfo', 'grep -c "^cpu[0-9]" /proc/stat', 'getconf _NPROCESSORS_ONLN', 'getconf _NPROCESSORS_CONF',
      ...(has('lscpu') ? ['lscpu | sed -n "s/^CPU(s): *//p"'] : []),
      `${JSON.stringify(process.execPath)} -p "os.cpus().length"`, `${JSON.stringify(process.execPath)} -p "os.availableParallelism()"`,
      `${python} -c "import os; print(os.cpu_count())"`, `${python} -c "import os; print(len(os.sched_getaffinity(0)))"`];
    expect((await shell(ways.join('; '), options)).trim().split('\n').map(Number)).toEqual(ways.map(() => count(list)));
    const named = await shell(`grep -h ^processor /proc/cpuinfo | tr -dc "0-9\\n" | tail -1; sed -n "s/^cpu\\([0-9]\\)/\\1/p" /proc/stat | cut -d" " -f1 | tail -1; cat ${CPUS}/online; taskset -cp $$ | sed "s/.*: //"`, options);
    const highest = list.split('-').at(-1)!;
    expect(named).toBe(`${highest}\n${highest}\n${list}\n${list}\n`);
  }, TIME);

  it.skipIf(last < 1)('finds no more directories of processors than there are [needs 2 processors]', async () => {
    const ls = `ls -d ${CPUS}/cpu[0-9]*`;
    expect(await shell(ls, {})).toBe(spawnSync('/bin/bash', ['-c', ls], { encoding: 'utf8' }).stdout);
    expect(await shell(ls, { numCpus: 1 })).toBe(`${CPUS}/cpu0\n`);
    expect(await shell(ls, { numCpus: 1, cpuCores: [last] })).toBe(`${CPUS}/cpu${last}\n`);
    // Without /proc, too.
    const narrow = { fsReadable: [...grants.fsReadable!.filter((path) => path !== '/proc'), '/sys'], numCpus: 1 };
    expect(await shell(ls, narrow)).toBe(`${CPUS}/cpu0\n`);
  }, TIME);
});

describe('the processors of a process', () => {
  it.each(CHOICES)('are %s, whoever of the sandbox it is and however its files are called', async (_, options, list) => {
    const said = await run(`
pid, ready, release = os.getpid(), os.pipe(), os.pipe()
child = os.fork()
if child == 0: os.read(release[0], 1); os._exit(0)
def thread():
    global tid; tid = threading.get_native_id(); os.write(ready[1], b'x'); os.read(release[0], 1)
threading.Thread(target=thread).start(); os.read(ready[0], 1)
proc, own = os.open('/proc', os.O_RDONLY), os.open('/proc/self', os.O_RDONLY)
os.chdir('/proc/%d' % pid)
forms = ['/proc/self', '/proc/thread-self', '/proc/%d' % pid, '/proc/self/task/%d' % tid, '/proc/%d' % child, '/proc/%d/task/%d' % (child, child), '/proc/self/cwd', '/proc/self/root/proc/self', '.']
held = [os.open('/proc/self/' + name, os.O_PATH) for name in ('status', 'stat')]
statuses = [read(form + '/status') for form in forms] + [read('self/status', proc), read('status', own), read('/proc/self/fd/%d' % held[0])]
stats = [read(form + '/stat') for form in forms] + [read('self/stat', proc), read('stat', own), read('/proc/self/fd/%d' % held[1])]
def field(text, name): return next(line.split('\\t')[1].strip() for line in text.splitlines() if line.startswith(name + ':'))
def seen(texts, name): return sorted(set(field(text, name) for text in texts))
whose = sorted(set(int(field(text, 'Pid')) for text in statuses)) == sorted((pid, tid, child)) and sorted(set(int(text.split()[0]) for text in stats)) == sorted((pid, tid, child))
running = [field(statuses[0], 'State')[0], stats[0].rpartition(') ')[2][0], field(statuses[4], 'State')[0]]
mask = sum(1 << cpu for cpu in os.sched_getaffinity(0))
result = [len(statuses), whose, running, [int(each.replace(',', ''), 16) == mask for each in seen(statuses, 'Cpus_allowed')], seen(statuses, 'Cpus_allowed_list'),
    all(int(text.rpartition(') ')[2].split()[39 - 3]) in os.sched_getaffinity(0) for text in stats), seen(statuses, 'Mems_allowed_list')]
os.write(release[1], b'xx'); os.waitpid(child, 0)
print(json.dumps(result))`, options);
    const nodes = /^Mems_allowed_list:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1];
    expect(said).toEqual([12, true, ['R', 'R', 'S'], [true], [list], true, [nodes]]);
  }, TIME);

  it.skipIf(last < 1)('are what it chose among them [needs 2 processors]', async () => {
    const program = `
os.sched_setaffinity(0, {1})
print(json.dumps([sorted(os.sched_getaffinity(0)), [line.split()[1] for line in open('/proc/self/status') if line.startswith('Cpus_allowed_list')], int(read('/proc/self/stat').rpartition(') ')[2].split()[39 - 3])]))`;
    expect(await run(program, { numCpus: 2 })).toEqual([[1], ['1'], 1]);
    // Of the machine's own files, without the option: as granted.
    expect(await run(program, { cpuCores: [1] })).toEqual([[1], ['1'], 1]);
  }, TIME);

  it('are shown of nobody else', async () => {
    const paths = [`/proc/${process.pid}/status`, `/proc/${process.pid}/stat`, `/proc/${process.pid}/task/${process.pid}/status`];
    for (const path of paths) expect(readFileSync(path, 'latin1')).not.toBe('');
    expect(await run('print(json.dumps([read(path) for path in sys.argv[1:]] + [read("/proc/%d/stat" % os.getppid())]))', { numCpus: 1 }, ...paths)).toEqual(Array(4).fill('ENOENT'));
  }, TIME);
});

describe.skipIf(last < 1)('a processor that is not seen [needs 2 processors]', () => {
  const LOOKS = `
cpu, node = '${CPUS}', '${NODE}'
def low(path): os.dup2(os.open(path, os.O_RDONLY | os.O_DIRECTORY), 9); return 9 # a number that nobody watches
here, other = sys.argv[1:]
def ways(name):
    found = [read(cpu + '/' + name + '/topology/core_id'), read(cpu + '/' + name + '/cache/../topology/core_id'), read(name + '/topology/core_id', os.open(cpu, os.O_RDONLY))]
    os.chdir(cpu); found += [read(name + '/topology/core_id'), read('../cpu/' + name + '/topology/core_id')]; os.chdir('/')
    found.append(read('/sys/bus/cpu/devices/' + name + '/topology/core_id'))
    if os.path.isdir(node): found.append(read(node + '/' + name + '/topology/core_id'))
    return sorted(set(found))
def calls(name): return [tried(os.stat, cpu + '/' + name) != 'ENOENT', tried(os.lstat, '/sys/bus/cpu/devices/' + name) != 'ENOENT', tried(os.readlink, '/sys/bus/cpu/devices/' + name) != 'ENOENT', os.access(cpu + '/' + name, os.F_OK), tried(os.chdir, cpu + '/' + name), tried(os.listdir, cpu + '/' + name + '/') != 'ENOENT']
def listed(path): return sorted(name for name in os.listdir(path) if name[:3] == 'cpu' and name[3:].isdigit())
print(json.dumps({'here': ways(here), 'other': ways(other), 'low': [read(each + '/topology/core_id', low(cpu)) for each in (here, other)], 'calls': [calls(here), calls(other)],
    'listed': [listed(path) for path in (cpu, '/sys/bus/cpu/devices', node) if os.path.isdir(path)]}))`;

  it('is nowhere, and the others are where they were', async () => {
    const there = readFileSync(`${CPUS}/cpu0/topology/core_id`, 'latin1');
    const others = readdirSync(CPUS).filter((name) => /^cpu\d+$/.test(name)).sort();
    const lists = existsSync(NODE) ? 3 : 2;
    expect(await run(LOOKS, { numCpus: 1 }, 'cpu0', `cpu${last}`)).toEqual({
      here: [there], other: ['ENOENT'], low: [there, 'EACCES'], calls: [[true, true, true, true, 'ok', true], [false, false, false, false, 'ENOENT', false]],
      listed: Array(lists).fill(['cpu0']),
    });
    // The machine's, where no number was asked for.
    const own = readFileSync(`${CPUS}/cpu${last}/topology/core_id`, 'latin1');
    expect(await run(LOOKS, {}, 'cpu0', `cpu${last}`)).toMatchObject({ other: [own], low: [there, own], listed: Array(lists).fill(others) });
  }, TIME);

  it('is no part of a node', async () => {
    expect(await run(`print(json.dumps([read('${NODE}/' + name) for name in ('cpulist', 'cpumap')] + [read('${CPUS}/' + name) for name in sys.argv[1:]]))`, { numCpus: 1 },
      'online', 'possible', 'present', 'offline')).toEqual([...(existsSync(NODE) ? ['0\n', expect.stringMatching(/^[0,]*1\n$/)] : ['ENOENT', 'ENOENT']), '0\n', '0\n', '0\n', '\n']);
  }, TIME);
});

describe('memory that has a limit', () => {
  const MIB = 2 ** 20;

  it.skipIf(!hasNode)('is that of the node, by every way there [needs a node of memory]', async () => {
    const folder = '/sys/devices/system/node';
    const program = `
def low(path): os.dup2(os.open(path, os.O_RDONLY | os.O_DIRECTORY), 9); return 9
def total(text): return text if text[0] == 'E' else text.splitlines()[0].split()[3:]
def ways(name):
    os.chdir('${folder}')
    return [read('${NODE}/' + name), read('/sys/../${NODE}/' + name), read('node0/' + name), read(name, os.open('${NODE}', os.O_RDONLY)), read('/sys/bus/node/devices/node0/' + name), read(name, os.open('/sys/bus/node/devices/node0', os.O_RDONLY)), read('${CPUS}/cpu0/node0/' + name), read(name, low('${NODE}'))]
print(json.dumps([[total(text) for text in ways('meminfo')], [text[:1] for text in ways('distance')]]))`;
    const machine = /MemTotal: +(\d+) kB/.exec(readFileSync(`${NODE}/meminfo`, 'latin1'))![1]!;
    const distance = Array(8).fill(readFileSync(`${NODE}/distance`, 'latin1')[0]);
    expect(Number(machine)).toBeGreaterThan(256 * 1024);
    expect(await run(program, { maxMemory: '256M' })).toEqual([[...Array<string[]>(6).fill(['262144', 'kB']), 'EACCES', 'EACCES'], distance]);
    expect(await run(program, {})).toEqual([Array(8).fill([machine, 'kB']), distance]);
  }, TIME);

  const version1 = '/sys/fs/cgroup/memory/memory.limit_in_bytes';
  it.skipIf(!existsSync(version1))('is that of the control group of version 1, where older libraries look [needs the memory controller of version 1]', async () => {
    const program = `print(json.dumps([read('${version1}'), int(read('/sys/fs/cgroup/memory/memory.usage_in_bytes')) < ${256 * MIB}, read('memory.limit_in_bytes', os.open('/sys/fs/cgroup/memory', os.O_RDONLY)), read('/sys/fs/cgroup/memory/memory.swappiness')]))`;
    const swappiness = readFileSync('/sys/fs/cgroup/memory/memory.swappiness', 'latin1');
    expect(await run(program, { maxMemory: '256M' })).toEqual([`${256 * MIB}\n`, true, `${256 * MIB}\n`, swappiness]);
    const machine = readFileSync(version1, 'latin1');
    expect(machine).not.toBe(`${256 * MIB}\n`);
    expect(await run(program, {})).toEqual([machine, expect.any(Boolean), machine, swappiness]);
  }, TIME);

  it.skipIf(!has('java'))('is what the Java machine goes by [needs java]', async () => {
    const java = ['/usr/bin/java', '-XX:+PrintFlagsFinal', '-version'];
    const heap = async (options: SandboxOptions): Promise<number> => {
      const { stdout } = await box({ fsReadable: ['/'], fsWritable: ['/dev/null', '/tmp'], ...options }).run(java, { input: '', timeout: 40_000 });
      return Number(/ MaxHeapSize +=? +(\d+)/.exec(String(stdout))?.[1]);
    };
    const machine = await heap({});
    const limited = await heap({ maxMemory: '1G' });
    expect(limited).toBeGreaterThan(200 * MIB); // a quarter
    expect(limited).toBeLessThanOrEqual(256 * MIB);
    expect(machine).toBeGreaterThan(limited);
  }, TIME);
});
