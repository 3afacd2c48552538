/**
 * Options over others: those of a command line over those of a profile.
 *
 * Merged is what was asked for, never what was made of it, so that the outcome is checked as if it had been asked for at once.
 */
import { OPTION_NAMES, optionNamed, type OptionName, type SandboxOptions } from './option-table.js';

/**
 * Lists go on where those of `base` end, tables are merged name by name, and everything else is replaced by what `overrides` has.
 *
 * @returns new options; whether they make sense is for Sandbox to say
 */
export function mergeOptions(base: SandboxOptions, overrides: SandboxOptions): SandboxOptions {
  const merged: Partial<Record<string, unknown>> = { ...base };
  for (const [name, value] of Object.entries(overrides) as [string, unknown][]) {
    if (value !== undefined) merged[name] = addsUp(name) ? joined(merged[name], value) : value;
  }
  return merged as SandboxOptions;
}

/** Every flag of the option can be repeated, and so it does as a flag. The cores to run on are a list, and one value. */
function addsUp(name: string): boolean {
  return (OPTION_NAMES as readonly string[]).includes(name) && optionNamed(name as OptionName).flags.every(({ repeatable }) => repeatable);
}

function joined(before: unknown, after: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(after)) return [...before as unknown[], ...after as unknown[]];
  // Not by assignment, for which a variable named __proto__ would be another thing.
  return isTable(before) && isTable(after) ? Object.fromEntries([...Object.entries(before), ...Object.entries(after)]) : after;
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
