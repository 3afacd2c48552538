/** Durations of the command line: `5`, `1.5s`, `500ms`, `2m`, `1h`. Seconds without a unit. */
const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** What a timer of Node's takes; more would fire at once. */
const MAX_MS = 2 ** 31 - 1;

export interface Duration {
  readonly ms: number;
  /** As it is shown: `5s`, `500ms`. */
  readonly text: string;
}

/** @throws {RangeError} not a duration, or more than about 24 days */
export function parseDuration(text: string): Duration {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(ms|s|m|h)?$/.exec(text);
  if (match === null) {
    throw new RangeError(`${JSON.stringify(text)} is no duration. Write seconds, or a number with ms, s, m or h: 5, 1.5s, 500ms, 2m.`);
  }
  const [, number, unit = 's'] = match;
  const ms = Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (ms > MAX_MS) throw new RangeError(`${text} is too long: at most ${MAX_MS} ms, about 24 days. Leave it out for no limit.`);
  // Nothing at all would mean forever to some timers. Zero is as soon as can be.
  return { ms: Math.max(1, Math.ceil(ms)), text: `${number}${unit}` };
}
