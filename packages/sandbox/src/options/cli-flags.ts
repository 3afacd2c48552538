/**
 * Options as flags, and flags as options.
 *
 * The command line is derived from the records, so a flag cannot mean another thing than its option. The spelling
 * is commander's, whose `--no-x` is the switch `x` that is on until it is given.
 */
import { ConfigError, type ConfigIssue } from '../errors.js';
import { GrammarError } from './grammar/grammar-error.js';
import type { OptionFlag } from './option.js';
import { isOptionName, OPTION_NAMES, optionNamed, type OptionName, type SandboxOptions } from './option-table.js';

export interface CliFlag {
  readonly option: OptionName;
  /** `--fs-read` */
  readonly flag: string;
  /** `-r, --fs-read <PATH>` */
  readonly spec: string;
  /** What commander calls the value: `fsRead`; `supervisor` for `--no-supervisor`. */
  readonly attribute: string;
  /** The switch is given when the value is false, not true. */
  readonly negated: boolean;
  /** Absent: a switch. */
  readonly placeholder: string | undefined;
  /** The value is the list of what was given, in that order; of other flags the last one. */
  readonly repeatable: boolean;
  readonly summary: string;
}

/** Every flag that stands for an option, in the order of the reference. */
export const cliFlags: readonly CliFlag[] = OPTION_NAMES.flatMap((option) =>
  optionNamed(option).flags.map((flag) => describeFlag(option, flag)));

/**
 * The options that flags stand for.
 *
 * @param values by attribute, as commander gives them: undefined, a boolean, a text or a list of texts. Others,
 *   such as flags of the command itself, are left alone
 * @throws {ConfigError} for text that stands for no value; whether the values make sense is for Sandbox to say
 */
export function optionsFromFlags(values: Readonly<Record<string, unknown>>): SandboxOptions {
  const options: Partial<Record<OptionName, unknown>> = {};
  const issues: ConfigIssue[] = [];
  for (const option of OPTION_NAMES) {
    for (const flag of optionNamed(option).flags) {
      const texts = given(describeFlag(option, flag), values);
      if (texts === undefined) continue;
      try {
        options[option] = join(options[option], valueOf(flag, texts));
      } catch (error) {
        if (!(error instanceof GrammarError)) throw error;
        issues.push({ path: `--${flag.long}`, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
      }
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return options as SandboxOptions;
}

/**
 * How an option is called by those who gave it in another way than as an option.
 *
 * @param part  the index or the key of the part of its value that is meant
 * @returns undefined: by its own name
 */
export type Spelling = (option: OptionName, part?: string | number) => string | undefined;

/** By its first flag. */
export const flagSpelling: Spelling = (option) => cliFlags.find((flag) => flag.option === option)?.flag;

/** Where an issue is, in that spelling: `fsReadable[1]` -> `--fs-read`. Others stay as they are. */
export function flagPath(path: string, spelling: Spelling = flagSpelling): string {
  const [, option, index, key, quoted] = /^(\w+)(?:\[(\d+)\]|\.(\w+)|\[("(?:[^"\\]|\\.)*")\])?/.exec(path) ?? [];
  if (option === undefined || !isOptionName(option)) return path;
  const part = index !== undefined ? Number(index) : quoted !== undefined ? JSON.parse(quoted) as string : key;
  return spelling(option, part) ?? path;
}

/**
 * A message in that spelling: `fsReadable includes execution` -> `--fs-read includes execution`. Option names that are
 * ordinary words and stand in no backticks, and whatever is quoted, stay as they are.
 */
export function flagWords(text: string, spelling: Spelling = flagSpelling): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|`([a-z]+)`|\b([a-z]+[A-Z]\w*)(?:\[(\d+)\])?/g,
    (found, word?: string, camelCase?: string, index?: string) => {
      const name = word ?? camelCase;
      return name !== undefined && isOptionName(name) ? spelling(name, index === undefined ? undefined : Number(index)) ?? found : found;
    });
}

function describeFlag(option: OptionName, flag: OptionFlag): CliFlag {
  const long = `--${flag.long}${flag.placeholder === undefined ? '' : ` <${flag.placeholder}>`}`;
  const negated = flag.placeholder === undefined && flag.long.startsWith('no-');
  return Object.freeze({
    option,
    flag: `--${flag.long}`,
    spec: flag.short === undefined ? long : `-${flag.short}, ${long}`,
    attribute: camelCase(negated ? flag.long.slice('no-'.length) : flag.long),
    negated,
    placeholder: flag.placeholder,
    repeatable: flag.repeatable === true,
    summary: flag.summary ?? optionNamed(option).summary,
  });
}

/** The texts of a flag, none for a switch; undefined when it was not given. */
function given({ attribute, negated, placeholder }: CliFlag, values: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const value = Object.hasOwn(values, attribute) ? values[attribute] : undefined;
  if (placeholder === undefined) return value === !negated ? [] : undefined;
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.length > 0 ? value.map(String) : undefined;
}

function valueOf(flag: OptionFlag, texts: readonly string[]): unknown {
  if (flag.toValue !== undefined) return flag.toValue(texts);
  if (flag.placeholder === undefined) return true;
  return flag.repeatable === true ? texts : texts.at(-1);
}

/** Two flags of one option. */
function join(before: unknown, after: unknown): unknown {
  return Array.isArray(before) && Array.isArray(after) ? [...before as unknown[], ...after as unknown[]] : after;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
