/**
 * A profile's text to options, every mistake at once.
 *
 * Each value goes through the schema that it would go through as an option, so nothing can be said here that cannot be said
 * there. What no record knows is an error: a restriction that is misspelled and skipped would be one that is not there. Rules
 * between options are for Sandbox, since options may yet be added.
 */
import * as v from 'valibot';

import { ProfileError, type ConfigIssue } from '../errors.js';
import { GrammarError } from '../options/grammar/grammar-error.js';
import { isTomlTable, TomlFloat, TomlMoment, type TomlTable, type TomlValue } from '../options/grammar/toml-value.js';
import { toConfigIssue } from '../options/issues.js';
import type { SandboxOptions } from '../options/option-table.js';
import { keysOf, optionFields, programFields, type ProfileField, type ProfileProgram } from './profile-fields.js';
import { readToml } from './toml.js';
import { unknownFields } from './unknown-fields.js';

export interface Profile {
  /** As they would be given to Sandbox. */
  readonly sandbox: SandboxOptions;
  readonly program: ProfileProgram;
}

/**
 * Reads a profile. Relative paths in it are taken from the caller's working directory, as in options.
 *
 * @throws {ProfileError} ERR_SANDLOCK_PROFILE_INVALID, with every issue
 */
export async function parseProfile(text: string): Promise<Profile> {
  return parseProfileFrom(text, 'the profile');
}

/** @param profile which one, for errors */
export async function parseProfileFrom(text: string, profile: string): Promise<Profile> {
  const table = await readToml(text).catch((error: unknown): never => {
    if (!(error instanceof GrammarError)) throw error;
    throw new ProfileError('ERR_SANDLOCK_PROFILE_INVALID', profile, [issueOf('', error)]);
  });
  const issues = unknownFields(table);
  const sandbox = readFields(optionFields(), table, issues);
  const program: ProfileProgram = readFields(programFields(), table, issues);
  if (program.args !== undefined && !Object.hasOwn(tableAt(table, 'program'), 'exec')) {
    issues.push({ path: '[program].args', message: 'There is no program to give these arguments to.', hint: 'Name it by exec.' });
  }
  if (issues.length > 0) throw new ProfileError('ERR_SANDLOCK_PROFILE_INVALID', profile, issues);
  return { sandbox, program };
}

function readFields(fields: readonly ProfileField[], table: TomlTable, issues: ConfigIssue[]): Record<string, unknown> {
  const values: [string, unknown][] = [];
  for (const field of fields) {
    const given = valueOf(field, table);
    if (given === undefined) continue;
    const found = issuesOfTypes(given, field);
    if (found.length > 0) {
      issues.push(...found);
      continue;
    }
    try {
      const value = field.profile.read === undefined ? given : field.profile.read(given);
      const { issues: wrong = [] } = v.safeParse(field.schema, value);
      issues.push(...wrong.map((issue) => toConfigIssue(pathOf(field, given, issue.message), issue)));
      values.push([field.name, value]);
    } catch (error) {
      if (!(error instanceof GrammarError)) throw error;
      issues.push(issueOf(pathOf(field, given, error.message), error));
    }
  }
  return Object.fromEntries(values);
}

/** The value of its key, or those of its keys in an object; undefined where there is none. */
function valueOf({ profile }: ProfileField, table: TomlTable): TomlValue | undefined {
  const section = tableAt(table, profile.section);
  if (typeof profile.key === 'string') return Object.hasOwn(section, profile.key) ? section[profile.key] : undefined;
  const parts = profile.key.filter((key) => Object.hasOwn(section, key)).map((key): [string, TomlValue] => [key, section[key]!]);
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

function tableAt(table: TomlTable, section: string): TomlTable {
  const value = Object.hasOwn(table, section) ? table[section] : undefined;
  return isTomlTable(value) ? value : {};
}

/** Types of TOML that the options' schemas do not know of. */
function issuesOfTypes(given: TomlValue, field: ProfileField): ConfigIssue[] {
  const look = (value: TomlValue, path: string): ConfigIssue[] => {
    if (value instanceof TomlFloat) return [{ path, message: `${value.value} is written as a float, and only whole numbers stand here.`, hint: 'Write it without a point.' }];
    if (value instanceof TomlMoment) {
      return field.profile.read === undefined ? [{ path, message: `${value.text} is a date, and none stands here.`, hint: 'Text is written in quotation marks.' }] : [];
    }
    if (Array.isArray(value)) return value.flatMap((item: TomlValue, i) => look(item, `${path}[${i}]`));
    return isTomlTable(value) ? Object.entries(value).flatMap(([key, each]) => look(each, `${path}.${JSON.stringify(key)}`)) : [];
  };
  if (typeof field.profile.key === 'string') return look(given, pathOf(field, given));
  return Object.entries(given).flatMap(([key, value]: [string, TomlValue]) => look(value, `[${field.profile.section}].${key}`));
}

/** Of several keys the one that the message begins with, which is how it names a part of the value, or the first that is there. */
function pathOf({ profile }: ProfileField, given: TomlValue, message = ''): string {
  const keys = keysOf(profile);
  const named = keys.find((key) => message.startsWith(`${key} `)) ?? keys.find((key) => Object.hasOwn(Object(given) as object, key));
  return `[${profile.section}].${keys.length === 1 ? keys[0]! : named!}`;
}

function issueOf(path: string, { message, hint }: GrammarError): ConfigIssue {
  return { path, message, ...(hint === undefined ? {} : { hint }) };
}
