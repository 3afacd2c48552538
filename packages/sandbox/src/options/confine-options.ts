/**
 * What confine() can apply to a process that already runs: the grants, and what of Landlock may be missing.
 * Everything else is about starting a program, and would be ignored.
 */
import { isDefault } from './no-supervisor.js';
import { OPTION_NAMES, optionNamed, type OptionName, type ParsedOptions } from './option-table.js';

/** The options that are set and that confine() has to refuse. */
export function unsupportedForConfine(options: ParsedOptions): OptionName[] {
  return OPTION_NAMES.filter((name) => optionNamed(name).confine !== true && !isDefault(name, options));
}
