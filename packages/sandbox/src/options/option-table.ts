/** Every option there is, in the order of the reference. */
import type * as v from 'valibot';

import { confinementOptions } from './confinement-options.js';
import { determinismOptions } from './determinism-options.js';
import { filesystemOptions } from './filesystem-options.js';
import { limitOptions } from './limit-options.js';
import { networkOptions } from './network-options.js';
import type { Option } from './option.js';
import { programOptions } from './program-options.js';

/** The headings of the reference and what stands under them. */
export const optionSections = {
  Files: filesystemOptions,
  Network: networkOptions,
  Program: programOptions,
  Limits: limitOptions,
  Determinism: determinismOptions,
  Confinement: confinementOptions,
};

const table = {
  ...filesystemOptions, ...networkOptions, ...programOptions, ...limitOptions, ...determinismOptions,
  ...confinementOptions,
};

export type OptionName = keyof typeof table;

/**
 * What a sandbox is asked for. Everything may be left out, and what is not granted is refused: no files, no
 * network. See docs/options.md for each.
 */
export type SandboxOptions = {
  readonly [Name in OptionName]?: v.InferInput<(typeof table)[Name]['schema']> | undefined;
};

/** The same after validation; what was left out is left out here, too. */
export type ParsedOptions = {
  readonly [Name in OptionName]?: v.InferOutput<(typeof table)[Name]['schema']>;
};

export const OPTION_NAMES = Object.keys(table) as readonly OptionName[];

export function optionNamed(name: OptionName): Option {
  return table[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(table, name);
}
