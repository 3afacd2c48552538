/**
 * Moments: `2000-01-01T00:00:00Z`, a Date, or seconds since 1970, as nanoseconds since then.
 *
 * Text is RFC 3339. What has no zone means UTC, and never the zone of whoever happens to run it; on the command line and
 * in a profile, where nobody can tell by the type, it is refused. A clock does not stand before 1970: the kernel
 * refuses deadlines there.
 */
import { GrammarError, show } from './grammar-error.js';
import { TomlMoment, type TomlValue } from './toml-value.js';

const FORM = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?([Zz]|[+-]\d\d:\d\d)?$/;
const LAST_NS = BigInt(Date.UTC(10_000, 0)) * 1_000_000n - 1n;
const HINT = 'Write it as in 2000-01-01T00:00:00Z.';

/** @throws {GrammarError} */
export function parseTime(value: unknown): bigint {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new GrammarError('It is a Date that stands for no moment.');
    return checkedRange(BigInt(value.getTime()) * 1_000_000n, value.toISOString());
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new GrammarError(`${show(value)} is no number of seconds.`);
    // A double has no more than microseconds of these.
    return checkedRange(BigInt(Math.round(value * 1e6)) * 1000n, `${value} seconds`);
  }
  if (typeof value === 'string') return parseText(value.trim());
  throw new GrammarError(`A time is a Date, a number of seconds since 1970 or text, not ${show(value)}.`);
}

/** For flags and profiles: as text with a zone. @throws {GrammarError} */
export function checkZone(text: string): string {
  const match = FORM.exec(text.trim());
  if (match !== null && (match[4] === undefined || match[8] === undefined)) {
    throw new GrammarError(`${show(text)} has no ${match[4] === undefined ? 'time of day' : 'zone'}.`, 'Write Z for UTC, or an offset such as +02:00.');
  }
  return text;
}

/** For profiles: a date of TOML, or text, with a zone. @throws {GrammarError} */
export function readTomlTime(value: TomlValue): string {
  if (value instanceof TomlMoment) return checkZone(value.text);
  if (typeof value === 'string') return checkZone(value);
  throw new GrammarError(`A time is a date or text, not ${show(value)}.`, HINT);
}

/** As parseTime() takes it, to the nanosecond. */
export function showTime(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, -'.000Z'.length);
  const fraction = String(ns % 1_000_000_000n).padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

function parseText(text: string): bigint {
  const match = FORM.exec(text);
  if (match === null) throw new GrammarError(`${show(text)} is no RFC 3339 time.`, HINT);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  if (moment.getUTCMonth() !== month - 1 || moment.getUTCDate() !== day) throw new GrammarError(`${show(text)} names a day that there is not.`, HINT);
  if (hour > 23 || minute > 59 || second > 59) throw new GrammarError(`${show(text)} names a time of day that there is not.`, HINT);
  moment.setUTCHours(hour, minute, second);
  const fraction = BigInt((match[7] ?? '').padEnd(9, '0').slice(0, 9));
  return checkedRange((BigInt(moment.getTime()) - zoneMs(match[8], text)) * 1_000_000n + fraction, show(text));
}

function zoneMs(zone: string | undefined, text: string): bigint {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0n;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (hours > 23 || minutes > 59) throw new GrammarError(`${show(text)} has a zone that there is not.`, HINT);
  return BigInt((zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000);
}

function checkedRange(ns: bigint, shown: string): bigint {
  if (ns >= 0n && ns <= LAST_NS) return ns;
  throw new GrammarError(`${shown} is ${ns < 0n ? 'before 1970' : 'after the year 9999'}.`);
}
