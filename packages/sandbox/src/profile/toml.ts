/**
 * TOML, read and written by smol-toml, which is loaded when it is first needed: most programs have no profile.
 *
 * Of a date the library keeps what a Date holds: it takes a 30th of February for the 2nd of March, and drops microseconds. So a
 * date is looked up in the document, and is the text that stands there.
 */
import { GrammarError } from '../options/grammar/grammar-error.js';
import { TomlFloat, TomlMoment, type TomlTable, type TomlValue } from '../options/grammar/toml-value.js';

/** More than any profile has. */
const MAX_DEPTH = 16;
const MOMENT = /\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d:\d\d(?:\.\d+)?/g;

/** @throws {GrammarError} it is no TOML: where, and why */
export async function readToml(text: string): Promise<TomlTable> {
  const { parse, TomlDate, TomlError } = await import('smol-toml');

  /** How moments are spelled in the document, by what the library makes of them; looked for once, and if there is any. */
  let spelled: Map<string, Set<string>> | undefined;
  const momentOf = (date: InstanceType<typeof TomlDate>): TomlMoment => {
    if (spelled === undefined) {
      spelled = new Map();
      for (const [moment] of text.matchAll(MOMENT)) {
        const read = new TomlDate(moment);
        if (read.isValid()) spelled.set(read.toISOString(), (spelled.get(read.toISOString()) ?? new Set()).add(moment));
      }
    }
    const [spelling, ...others] = spelled.get(date.toISOString()) ?? [];
    if (spelling !== undefined && others.length === 0) return new TomlMoment(spelling);
    throw new GrammarError(spelling === undefined ? `The date ${date.toISOString()} is not written as RFC 3339 has it.`
      : `The date ${date.toISOString()} cannot be told from others of this profile.`, 'Write it as text, in quotation marks.');
  };

  const valueOf = (value: unknown, depth = 0): TomlValue => {
    if (depth > MAX_DEPTH) throw new GrammarError(`It is nested more than ${MAX_DEPTH} deep.`);
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    if (typeof value === 'number') return new TomlFloat(value);
    if (value instanceof TomlDate) return momentOf(value);
    if (Array.isArray(value)) return value.map((item) => valueOf(item, depth + 1));
    if (typeof value !== 'object' || value === null) return value as string | boolean;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, valueOf(each, depth + 1)]));
  };

  try {
    return valueOf(parse(text, { integersAsBigInt: true, maxDepth: MAX_DEPTH })) as TomlTable;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The first line says what; the others show the place, control characters and all.
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new GrammarError(`It is not TOML, at line ${error.line}, column ${error.column}: ${reason}.`);
  }
}

/** @param document has neither floats nor moments in it */
export async function writeToml(document: TomlTable): Promise<string> {
  const { stringify } = await import('smol-toml');
  const text = stringify(document).trimEnd();
  return text === '' ? '' : `${text}\n`;
}

