/** Options on how much the program may use. */
import type * as v from 'valibot';

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

const last = (texts: readonly string[]) => numberFromText(texts.at(-1)!);

export const limitOptions = {
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
    summary: 'start the program on these cores',
    docs: `The cores to run on. It says where the program starts: the program may choose other cores afterwards, so this is
placement and not confinement.`,
    noSupervisor: true,
  }),
};
