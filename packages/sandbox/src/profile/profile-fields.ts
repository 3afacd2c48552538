/**
 * What may stand in a profile: sections and their keys, as the options' records have them, and the program to run.
 *
 * Made when a profile is read: a run without one has no time for it.
 */
import type * as v from 'valibot';

import { grammar, GrammarError, show } from '../options/grammar/grammar-error.js';
import { isWellFormed } from '../options/grammar/well-formed.js';
import { list, type OptionProfile } from '../options/option.js';
import { OPTION_NAMES, optionNamed, type OptionName } from '../options/option-table.js';

/** The command of a profile, for whoever gives no other. */
export interface ProfileProgram {
  /** A path, or a name that is looked for in PATH. */
  readonly exec?: string;
  readonly args?: readonly string[];
}

/** One option, or one part of the program. */
export interface ProfileField {
  readonly name: string;
  readonly schema: v.GenericSchema;
  readonly profile: OptionProfile;
}

export function optionFields(): ProfileField[] {
  return OPTION_NAMES.flatMap((name) => {
    const { schema, profile } = optionNamed(name);
    return profile === undefined ? [] : [{ name, schema, profile }];
  });
}

export function programFields(): ProfileField[] {
  return [
    { name: 'exec', schema: grammar<string, string>(parseExec), profile: { section: 'program', key: 'exec' } },
    { name: 'args', schema: list<string, string>(parseArgument), profile: { section: 'program', key: 'args' } },
  ];
}

/** Sections and, in each, keys and what they stand for. */
export function profileSections(): ReadonlyMap<string, ReadonlyMap<string, ProfileField>> {
  const found = new Map<string, Map<string, ProfileField>>();
  for (const field of [...optionFields(), ...programFields()]) {
    const { section } = field.profile;
    const keys = found.get(section) ?? new Map<string, ProfileField>();
    found.set(section, keys);
    for (const key of keysOf(field.profile)) keys.set(key, field);
  }
  return found;
}

export function keysOf({ key }: OptionProfile): readonly string[] {
  return typeof key === 'string' ? [key] : key;
}

/** `[filesystem].read`; undefined for an option that cannot stand in a profile. */
export function profileKey(name: OptionName): string | undefined {
  const { profile } = optionNamed(name);
  return profile === undefined ? undefined : `[${profile.section}].${keysOf(profile).join(', ')}`;
}

function parseExec(value: unknown): string {
  const text = parseArgument(value);
  if (text === '') throw new GrammarError('The program has no name.');
  return text;
}

function parseArgument(value: unknown): string {
  if (typeof value !== 'string') throw new GrammarError(`It is text, not ${show(value)}.`);
  if (value.includes('\0')) throw new GrammarError(`${show(value)} contains a NUL character, which would end it.`);
  if (!isWellFormed(value)) throw new GrammarError(`${show(value)} contains half a surrogate pair.`);
  return value;
}
