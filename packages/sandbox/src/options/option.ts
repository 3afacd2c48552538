/**
 * What one option is: its type, its default, its flags, its place in a profile, and its documentation.
 *
 * Everything that knows options is made from these records: the TypeScript type, the validation, the command
 * line, the reference. There is no second list to forget.
 */
import * as v from 'valibot';

import { grammar, GrammarError, show } from './grammar/grammar-error.js';
import { parseRecord, type PlainRecord } from './grammar/record.js';
import type { TomlValue } from './grammar/toml-value.js';

export interface OptionFlag {
  /** Without the dashes: `fs-read`. */
  readonly long: string;
  readonly short?: string;
  /** What stands for the value in help; a flag without one is a switch. */
  readonly placeholder?: string;
  readonly repeatable?: true;
  /** Where it differs from the option's. */
  readonly summary?: string;
  /**
   * The option's value from the texts of one flag, in their order. Lists are joined across flags, tables
   * merged, and for everything else the last one counts. Left out, a switch is `true`, a repeatable flag the list
   * of its texts, and any other flag its last text.
   *
   * @throws {GrammarError}
   */
  readonly toValue?: (texts: readonly string[]) => unknown;
}

/** Where an option stands in a profile, and what it looks like there. */
export interface OptionProfile<Parsed = unknown> {
  /** `filesystem`, of `[filesystem]`. */
  readonly section: string;
  /** Several are the parts of a value that is an object: uid and gid of `user`. */
  readonly key: string | readonly string[];
  /**
   * The option's value from TOML, for what a profile takes less of, or other things. Left out, it is the option's own schema that
   * says what a value may be; dates are then refused, and so are floats, which no option takes.
   *
   * @throws {GrammarError}
   */
  read?(value: TomlValue): unknown;
  /** TOML from what the schema made of a value, unless that is TOML already. @throws {GrammarError} TOML cannot hold it */
  write?(parsed: Parsed): TomlValue;
}

export interface Option<Schema extends v.GenericSchema = v.GenericSchema> {
  readonly schema: Schema;
  /** As the reference shows it. */
  readonly type: string;
  /** What leaving it out means, in a value. */
  readonly default: string;
  readonly flags: readonly OptionFlag[];
  /** Left out: it cannot stand in a profile. */
  readonly profile?: OptionProfile<v.InferOutput<Schema>>;
  /** One line, for help. */
  readonly summary: string;
  /** Markdown, for the reference. */
  readonly docs: string;
  /** Without a supervisor it still means what it says. Otherwise: why not. */
  readonly noSupervisor: true | string;
  /** confine() can apply it to a process that already runs. */
  readonly confine?: true;
}

export function option<Schema extends v.GenericSchema>(record: Option<Schema>): Option<Schema> {
  return Object.freeze(record);
}

/** true or false. */
export const boolean = () => v.boolean((issue) => `It is true or false, not ${show(issue.input)}.`);

/** A list whose items follow `parse`; each wrong item is an issue of its own. */
export function list<Input, Output>(parse: (value: unknown) => Output) {
  // Readonly on the outside: a caller's frozen list is as good as any.
  return v.array(grammar<Input, Output>(parse), (issue) => `It is an array, not ${show(issue.input)}.`) as unknown as
    v.GenericSchema<readonly Input[], readonly Output[]>;
}

/**
 * A table whose names and values follow these; each wrong one is an issue of its own. Not valibot's record, which leaves
 * out what is called constructor, prototype or __proto__.
 */
export function table(parseName: (name: unknown) => string, parseValue: (value: unknown) => string) {
  return v.pipe(
    grammar<Readonly<Record<string, string>>, PlainRecord>(parseRecord),
    v.rawTransform<PlainRecord, Readonly<Record<string, string>>>(({ dataset, addIssue, NEVER }) => {
      const input = dataset.value;
      let failed = false;
      const entries = Object.entries(input).map(([key, value]: [string, unknown]): [string, string] => {
        try {
          return [parseName(key), parseValue(value)];
        } catch (error) {
          if (!(error instanceof GrammarError)) throw error;
          failed = true;
          addIssue({
            message: error.message, ...(error.hint === undefined ? {} : { expected: error.hint }),
            path: [{ type: 'object', origin: 'value', input, key, value }],
          });
          return [key, ''];
        }
      });
      return failed ? NEVER : Object.fromEntries(entries);
    }),
  );
}
