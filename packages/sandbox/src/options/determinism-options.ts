/** Options for runs that can be repeated: see docs/determinism.md. */
import { grammar } from './grammar/grammar-error.js';
import { checkZone, parseTime } from './grammar/time.js';
import { option } from './option.js';

export const determinismOptions = {
  timeStart: option({
    schema: grammar<Date | number | string, bigint>(parseTime),
    type: 'Date | number | string',
    default: 'now',
    flags: [{ long: 'time-start', placeholder: 'TIME', toValue: (texts) => checkZone(texts.at(-1)!) }],
    profile: { section: 'determinism', key: 'time_start' },
    summary: 'begin the time of day at TIME, as in 2000-01-01T00:00:00Z',
    docs: `What the clocks of a calendar show when the sandbox starts: a \`Date\`, seconds since 1970, or RFC 3339 text, UTC where
it has no zone (as a flag it needs one). From there on time passes as ever: a sleep takes as long as it takes, and
waiting for a time of day waits for that of the sandbox. Clocks that count from some event are the machine's, and so are the
timestamps of files. A start is refused where programs cannot be shown another time, and a program that cannot be shown it is
killed. More in [determinism](determinism.md).`,
    noSupervisor: 'the supervisor changes the clock of each program',
  }),
};
