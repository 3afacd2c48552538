/**
 * Options checked, all at once.
 *
 * Every value is read once and checked by its record's schema; then come the rules between options. Whoever
 * has three mistakes is told of three. Nothing outside the options is looked at: whether a path exists is a
 * question for the start.
 */
import * as v from 'valibot';

import { ConfigError, type ConfigIssue } from '../errors.js';
import { GrammarError, show } from './grammar/grammar-error.js';
import { joinPortSets } from './grammar/port-list.js';
import { contradictions } from './grammar/syscall-selection.js';
import { toConfigIssue } from './issues.js';
import { nearestName } from './nearest-name.js';
import { noSupervisorIssues } from './no-supervisor.js';
import { NOT_YET_OPTIONS } from './not-yet-options.js';
import { isOptionName, OPTION_NAMES, optionNamed, type OptionName, type ParsedOptions } from './option-table.js';
import { tcpIssues } from './tcp-issues.js';

/**
 * @param options what a caller gave, of any type: JavaScript has no types to rely on
 * @throws {ConfigError} with every issue
 */
export function parseOptions(options: unknown): ParsedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError([{ path: '', message: `The options are an object, not ${show(options)}.` }]);
  }
  const issues: ConfigIssue[] = Object.keys(options).filter((key) => !isOptionName(key)).map(unknownOption);
  const parsed: Partial<Record<OptionName, unknown>> = {};
  const failed = new Set<OptionName>();
  for (const name of OPTION_NAMES) {
    const value: unknown = Object.hasOwn(options, name) ? (options as Record<string, unknown>)[name] : undefined;
    if (value === undefined) continue;
    const result = v.safeParse(optionNamed(name).schema, value);
    if (result.success) parsed[name] = result.output;
    else {
      failed.add(name);
      issues.push(...result.issues.map((issue) => toConfigIssue(name, issue)));
    }
  }
  issues.push(...issuesBetween(parsed as ParsedOptions, failed));
  if (issues.length > 0) throw new ConfigError(issues);
  return Object.freeze(parsed) as ParsedOptions;
}

function issuesBetween(options: ParsedOptions, failed: ReadonlySet<OptionName>): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  try {
    joinPortSets(options.netAllowBind ?? []);
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    issues.push({ path: 'netAllowBind', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  }
  for (const { index, message } of contradictions(options.extraAllowSyscalls ?? [], options.extraDenySyscalls ?? [])) {
    issues.push({ path: `extraDenySyscalls[${index}]`, message });
  }
  if (options.onMemoryExceeded !== undefined && options.maxMemory === undefined && !failed.has('maxMemory')) {
    issues.push({ path: 'onMemoryExceeded', message: 'Without maxMemory there is nothing to exceed.' });
  }
  if (options.timeStart === undefined && !failed.has('timeStart')) {
    if (options.timeFrozen === true) issues.push({ path: 'timeFrozen', message: 'Without timeStart there is no time to stand still at.' });
    if (options.shiftFileTimes === true) issues.push({ path: 'shiftFileTimes', message: 'Without timeStart there is nothing to shift by.' });
  }
  // A list that was refused would look empty here, and give rise to an issue that is none.
  if (!failed.has('netAllow') && !failed.has('netAllowBind')) issues.push(...tcpIssues(options));
  issues.push(...noSupervisorIssues(options));
  return issues;
}

function unknownOption(name: string): ConfigIssue {
  if (NOT_YET_OPTIONS.includes(name)) {
    return { path: name, message: 'This option is not available yet.', hint: 'It would be ignored, so leave it out.' };
  }
  const nearest = nearestName(name, [...OPTION_NAMES, ...NOT_YET_OPTIONS]);
  return { path: name, message: 'There is no such option.', ...(nearest === undefined ? {} : { hint: `Did you mean ${nearest}?` }) };
}
