/** Options for runs that can be repeated: see docs/determinism.md. */
import { grammar } from './grammar/grammar-error.js';
import { parseMachineId } from './grammar/machine-id.js';
import { parseRandomSeed, writeRandomSeed } from './grammar/random-seed.js';
import { checkZone, parseTime, readTomlTime, showTime } from './grammar/time.js';
import { boolean, option } from './option.js';

export const determinismOptions = {
  randomSeed: option({
    schema: grammar<number | bigint | string, bigint>(parseRandomSeed),
    type: 'number | bigint | string',
    default: 'the machine\'s own entropy',
    flags: [{ long: 'random-seed', placeholder: 'N' }],
    profile: { section: 'determinism', key: 'random_seed', write: writeRandomSeed },
    summary: 'make all random numbers from this seed, a whole number of 64 bits',
    docs: `Random numbers that are the same in every run with this seed, from 0 to 2^64 - 1: those of getrandom(2), of
\`/dev/urandom\` and \`/dev/random\` (which need a grant, as ever), of the kernel's UUIDs, and the bytes that every program finds
at its start. Each process has its own, by its place in the tree of processes. Whoever knows the seed knows them all, so no
keys are to be made in such a sandbox. Instructions of the processor that give random numbers cannot be answered; common
libraries are told by their environment not to use them. More in [determinism](determinism.md).`,
    noSupervisor: 'the supervisor answers for the random numbers',
  }),
  timeStart: option({
    schema: grammar<Date | number | string, bigint>(parseTime),
    type: 'Date | number | string',
    default: 'now',
    flags: [{ long: 'time-start', placeholder: 'TIME', toValue: (texts) => checkZone(texts.at(-1)!) }],
    profile: { section: 'determinism', key: 'time_start', read: readTomlTime, write: showTime },
    summary: 'begin the time of day at TIME, as in 2000-01-01T00:00:00Z',
    docs: `What the clocks of a calendar show when the sandbox starts: a \`Date\`, seconds since 1970, or RFC 3339 text, UTC where
it has no zone (as a flag or in a profile it needs one). From there on time passes as ever: a sleep takes as long as it takes, and
waiting for a time of day waits for that of the sandbox. Clocks that count from some event are the machine's, and so are the
timestamps of files; in /proc the machine seems to have been started with the sandbox. A start is refused where programs cannot be
shown another time, and a program that cannot be shown it is killed. More in [determinism](determinism.md).`,
    noSupervisor: 'the supervisor changes the clock of each program',
  }),
  timeFrozen: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'time-frozen' }],
    profile: { section: 'determinism', key: 'time_frozen' },
    summary: 'let the time of day stand still at --time-start',
    docs: `The clocks of a calendar show \`timeStart\`, which it needs, whenever they are asked, to the nanosecond. What takes time takes
it: clocks that count from some event go on, a sleep sleeps, and waiting for a time of day that is a second ahead takes a second. A
program that looks at the calendar until some time has come never sees it come. In /proc uptime and the age of every process
are 0. More in [determinism](determinism.md).`,
    noSupervisor: 'the supervisor changes the clock of each program',
  }),
  shiftFileTimes: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'shift-file-times' }],
    profile: { section: 'determinism', key: 'shift_file_times' },
    summary: 'show and set times of files by the clock of --time-start',
    docs: `Move the timestamps of files with \`timeStart\`, which it needs: what stat(2) and its like show is as far off as the clock is, and
times that a program sets are moved back, so that a file just made is as old as the program's clock says. On disk they are the
machine's. With \`timeFrozen\`, what was changed since the start was changed at the start. Every stat(2) is answered by the
supervisor then, so programs that look at very many files take longer. More in [determinism](determinism.md).`,
    noSupervisor: 'the supervisor answers for the times',
  }),
  machineId: option({
    schema: grammar<string, string>(parseMachineId),
    type: 'string',
    default: 'the machine\'s own',
    flags: [{ long: 'machine-id', placeholder: 'ID' }],
    profile: { section: 'determinism', key: 'machine_id' },
    summary: 'show ID in /etc/machine-id: 32 hexadecimal digits',
    docs: `What the program reads in \`/etc/machine-id\` and \`/var/lib/dbus/machine-id\`, where they are granted. The machine's own
tells it from all others, and stays the same for good. machine-id(5).`,
    noSupervisor: 'the supervisor shows the file',
  }),
  deterministicDirs: option({
    schema: boolean(),
    type: 'boolean',
    default: 'false',
    flags: [{ long: 'deterministic-dirs' }],
    profile: { section: 'determinism', key: 'deterministic_dirs' },
    summary: 'list directories in the order of names',
    docs: `List every directory in the order of its names: \`.\` and \`..\`, then byte by byte. The order of a file system depends on
how its files came about, and on secrets. Every listing is answered by the supervisor then, so programs that read very many
directories take longer.`,
    noSupervisor: 'the supervisor answers for the listings',
  }),
};
