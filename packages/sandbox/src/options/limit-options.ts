/** Options on how much the program may use. */
import type * as v from 'valibot';

import { parseByteSize, showByteSize } from './grammar/byte-size.js';
import { parseFsPath, writeFsPath, type FsPath } from './grammar/fs-path.js';
import { grammar, GrammarError, show } from './grammar/grammar-error.js';
import { numberFromText, wholeNumber } from './grammar/whole-number.js';
import { option } from './option.js';

export const DEFAULT_MAX_PROCESSES = 64;

/** CONFIG_NR_CPUS is at most this on the architectures that Sandlock runs on. */
const MAX_CPUS = 8192;
const UINT32_MAX = 0xffffffff;

const parseCore = wholeNumber(0, MAX_CPUS - 1);

function parseCores(value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw new GrammarError(`It is an array of core numbers, not ${show(value)}.`);
  if (value.length === 0) throw new GrammarError('The list names no core.', 'Leave it out to use those of the caller.');
  return [...new Set(value.map((core) => parseCore(core)))].sort((a, b) => a - b);
}

function parseMemoryLimit(value: unknown): bigint {
  const bytes = parseByteSize(value);
  if (bytes === 0n) throw new GrammarError('With a limit of 0 no program could start.', 'Leave it out for no limit.');
  return bytes;
}

const ON_MEMORY_EXCEEDED = ['kill', 'enomem'] as const;

function parseOnMemoryExceeded(value: unknown): typeof ON_MEMORY_EXCEEDED[number] {
  const found = ON_MEMORY_EXCEEDED.find((each) => each === value);
  if (found !== undefined) return found;
  throw new GrammarError(`${show(value)} is not "kill" or "enomem".`);
}

function parseCgroup(value: unknown): Uint8Array | 'none' {
  if (value === 'none') return 'none';
  const path = parseFsPath(value);
  if (path[0] === '/'.charCodeAt(0)) return path;
  throw new GrammarError(`${show(value)} is not an absolute path.`, 'Write the directory of a control group, such as /sys/fs/cgroup/mine, or "none".');
}

const GPU_FORMS = 'Write "all", or indices such as "0,2".';
const parseGpuIndex = wholeNumber(0, UINT32_MAX, GPU_FORMS);

/** An empty list is all of them, as "all" is. */
function parseGpus(value: unknown): 'all' | readonly number[] {
  if (typeof value === 'string' && value.toLowerCase() === 'all') return 'all';
  if (!Array.isArray(value)) throw new GrammarError(`${show(value)} names no GPUs.`, GPU_FORMS);
  if (value.length === 0) return 'all';
  return [...new Set(value.map((index) => parseGpuIndex(index)))].sort((a, b) => a - b);
}

const last = (texts: readonly string[]) => numberFromText(texts.at(-1)!);

export const limitOptions = {
  maxMemory: option({
    schema: grammar<number | bigint | string, bigint>(parseMemoryLimit),
    type: 'number | bigint | string',
    default: 'unlimited',
    flags: [{ long: 'max-memory', short: 'm', placeholder: 'SIZE' }],
    profile: { section: 'limits', key: 'memory', write: showByteSize },
    summary: 'let all processes together use at most SIZE of memory, such as 512M',
    docs: `How much memory all processes of the sandbox may use together: a number of bytes, or text such as \`512M\` (K, M, G, T).
What counts is what is in use: anonymous and shared pages, swap, page tables, memfds; not reserved address space, not the page cache. A
process whose request does not fit is ended with SIGKILL and the others go on; if it is the program itself, the result's reason is
\`memory\`. Memory that is used without a request is noticed a moment later, so for that moment it may be more; not where \`cgroup\` is to be
had.

It is what the program finds for the memory of the machine, too: in \`/proc/meminfo\`, sysinfo(2), the nodes below \`/sys\`, and in
\`/sys/fs/cgroup\` by the names that runtimes look for (\`memory.max\`, and of version 1 \`memory/memory.limit_in_bytes\`). Groups beneath
that one and the blocks of memory below \`/sys\` are the machine's.`,
    noSupervisor: 'the supervisor measures the memory',
  }),
  onMemoryExceeded: option({
    schema: grammar<'kill' | 'enomem', 'kill' | 'enomem'>(parseOnMemoryExceeded),
    type: '"kill" | "enomem"',
    default: '"kill"',
    flags: [{ long: 'on-memory-exceeded', placeholder: 'ACTION' }],
    profile: { section: 'limits', key: 'on_memory_exceeded' },
    summary: 'what happens to a request that does not fit: kill (the default) or enomem',
    docs: `What happens to a request that \`maxMemory\` has no room for: \`kill\` ends the process, \`enomem\` fails the call with ENOMEM,
which begins a sixteenth before the limit. Memory that is used without a request ends the process that grew most, in either case.`,
    noSupervisor: 'the supervisor measures the memory',
  }),
  maxProcesses: option({
    schema: grammar<number, number>(wholeNumber(1, UINT32_MAX)),
    type: 'number',
    default: String(DEFAULT_MAX_PROCESSES),
    flags: [{ long: 'max-processes', short: 'P', placeholder: 'N', toValue: last }],
    profile: { section: 'limits', key: 'processes' },
    summary: `let at most N processes live at the same time (${DEFAULT_MAX_PROCESSES})`,
    docs: `How many processes of the sandbox may live at the same time, the first one included and threads not. One more gets
EAGAIN.`,
    noSupervisor: 'counting processes needs the supervisor',
  }),
  maxCpu: option({
    schema: grammar<number, number>(wholeNumber(1, 100)),
    type: 'number',
    default: 'unlimited',
    flags: [{ long: 'max-cpu', short: 'c', placeholder: 'N', toValue: last }],
    profile: { section: 'limits', key: 'cpu' },
    summary: 'give all processes together N percent of one processor, 1 to 100',
    docs: `How much of one processor all processes of the sandbox get together, in percent, on average over some tenths of a second. They
are stopped and continued for it, which a parent that waits with WUNTRACED is hardly ever told of; a process that is stopped already
stays so. 100 is no limit. A stop from the terminal that arrives while they are stopped is lost. One that has itself continued
meanwhile is stopped anew, and ended when it does so again and again, or goes on for a minute in calls that cannot be stopped; so is one that
has more than 256 others above it in the sandbox.
Processes that nobody waits for and that live for a few milliseconds are not counted: a program that ignores SIGCHLD and makes one after
the other of these can use all of a processor. Where \`cgroup\` is to be had the kernel does it instead, within each tenth of a second, stops
nobody and counts everybody.`,
    noSupervisor: true,
  }),
  cgroup: option({
    schema: grammar<FsPath | 'none', Uint8Array | 'none'>(parseCgroup),
    type: 'string | Buffer | URL',
    default: 'one that is delegated, if there is one',
    flags: [{ long: 'cgroup', placeholder: 'DIR' }],
    profile: { section: 'limits', key: 'cgroup', write: (parsed) => (parsed === 'none' ? parsed : writeFsPath(parsed)) },
    summary: 'let the kernel keep the limits, by control groups made in DIR; "none" for not using any',
    docs: `A control group (version 2) that is this process's to make others in: each run gets one of its own there, which the program is
in from the start and which goes with the run. Then the kernel keeps \`maxMemory\` and \`maxCpu\`, exactly and without stopping anybody, and
the run ends by \`cgroup.kill\`. One that is named and cannot do what the limits ask for is an error. For the named group:

- its directory and \`cgroup.procs\` may be written to, and so may \`cgroup.procs\` of the closest group that is above both it and this process;
- \`cgroup.controllers\` lists \`memory\` for \`maxMemory\` and \`cpu\` for \`maxCpu\`;
- with these, no process is in it directly, this one included; only the root of all may have some.

Left out, and with one of the two limits, the group of this process is tried, and the one above if that is its user's and neither root's nor a slice;
what they cannot do is done as without: \`Delegate=yes\` with \`DelegateSubgroup=\` of a systemd service with a \`User=\` makes a layout that serves. No process is
ever moved but the program. \`result.capabilities.cgroup\` says what the kernel kept.

A limit on memory that the kernel keeps is one on what is used: what is requested and not touched costs nothing, cached files are
given back when memory is short, the kernel's own memory for the sandbox counts, and nothing is swapped out. The process that the
kernel ends then is the largest. Requests are judged as well with \`onMemoryExceeded: 'enomem'\`.`,
    noSupervisor: 'only a supervisor keeps the program from its own control group',
  }),
  maxOpenFiles: option({
    schema: grammar<number, number>(wholeNumber(1, UINT32_MAX,
      'Leave it out to inherit the limit; even a trivial command needs about 4.')),
    type: 'number',
    default: 'inherited',
    flags: [{ long: 'max-open-files', placeholder: 'N', toValue: last }],
    profile: { section: 'limits', key: 'open_files' },
    summary: 'let each process have at most N descriptors',
    docs: `How many descriptors each process may have: RLIMIT_NOFILE, soft and hard, never more than what is inherited. Even a
trivial command needs about 4.`,
    noSupervisor: true,
  }),
  cpuCores: option({
    schema: grammar<readonly number[], readonly number[]>(parseCores) as v.GenericSchema<readonly number[], readonly number[]>,
    type: 'number[]',
    default: 'inherited',
    flags: [{
      long: 'cpu-cores', placeholder: 'N,N',
      toValue: (texts) => texts.at(-1)!.split(',').map(numberFromText),
    }],
    profile: { section: 'limits', key: 'cpu_cores' },
    summary: 'run on these cores only',
    docs: `The cores to run on. This cannot be widened: a program that chooses among them gets what it chose, one that names others gets
those of the list that are among them, and EINVAL when none is. Without a supervisor, choosing fails with EPERM.`,
    noSupervisor: true,
  }),
  numCpus: option({
    schema: grammar<number, number>(wholeNumber(1, MAX_CPUS, 'Leave it out to show those there are.')),
    type: 'number',
    default: 'those of the machine',
    flags: [{ long: 'num-cpus', placeholder: 'N', toValue: last }],
    profile: { section: 'limits', key: 'num_cpus' },
    summary: 'let the program see N processors',
    docs: `How many processors the program sees: in \`/proc/cpuinfo\`, \`/proc/stat\` and what \`/proc\` says of each process, in the
directories of processors and nodes below \`/sys\`, and through sched_getaffinity(2). With \`cpuCores\` it sees the first N of those, by
their numbers, and no more than there are in the list. It is a view: on which processors the program runs is for \`cpuCores\` to
say, and how much of them it gets for \`maxCpu\`.

The number of the current processor is the machine's where no call asks for it: the C library takes it from the vDSO or from
memory that the kernel writes (rseq). A program that keeps something for each processor by that number wants \`cpuCores\` as well, with no
more cores than N; then every number is one that it sees. Beyond those that the machine has, processors have no directories. How
the ones that are seen share caches and packages is the machine's, and so are the processors that control groups name.`,
    noSupervisor: 'the supervisor answers for the processors',
  }),
  gpuDevices: option({
    schema: grammar<'all' | readonly number[], 'all' | readonly number[]>(parseGpus) as
      v.GenericSchema<'all' | readonly number[], 'all' | readonly number[]>,
    type: '"all" | number[]',
    default: 'none',
    flags: [{
      long: 'gpu', placeholder: 'all|N,N',
      toValue: (texts) => (texts.at(-1)!.toLowerCase() === 'all' ? 'all' : texts.at(-1)!.split(',').map(numberFromText)),
    }],
    profile: { section: 'limits', key: 'gpu_devices' },
    summary: 'let the program use these GPUs',
    docs: `The GPUs that the program may use: \`all\` (or an empty list) with \`/dev/dri\`, or some by index. NVIDIA's are counted as their
nodes \`/dev/nvidia0\` and so on are, AMD's by PCI address; the nodes that all GPUs of a maker share come with them, and their
directories under \`/sys\` for reading. Indices are also set as \`CUDA_VISIBLE_DEVICES\` and \`ROCR_VISIBLE_DEVICES\`, after every other
variable. One that is not there is an error, and so is \`all\` where there is none.`,
    noSupervisor: true,
  }),
};
