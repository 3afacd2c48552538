/**
 * What cannot be had without a supervisor.
 *
 * An option that would silently mean less is refused; one that Landlock, the filter or the start enforce alone
 * stays. Each option's record says which it is.
 */
import type { ConfigIssue } from '../errors.js';
import { joinPortSets } from './grammar/port-list.js';
import { DEFAULT_MAX_PROCESSES } from './limit-options.js';
import { OPTION_NAMES, optionNamed, type OptionName, type ParsedOptions } from './option-table.js';

/** One issue that names every option in the way, or none. */
export function noSupervisorIssues(options: ParsedOptions): ConfigIssue[] {
  if (options.noSupervisor !== true) return [];
  const issues: ConfigIssue[] = [];
  const refused = OPTION_NAMES.filter((name) => optionNamed(name).noSupervisor !== true && !isDefault(name, options));
  if (refused.length > 0) {
    const reasons = refused.map((name) => `${inMessage(name)} (${optionNamed(name).noSupervisor})`).join(', ');
    issues.push({ path: 'noSupervisor', message: `noSupervisor is incompatible with: ${reasons}.` });
  }
  if (!canListenUnasked(options)) {
    issues.push({
      path: 'netAllowBind',
      message: 'Without a supervisor nobody can tell a bound socket from one that listen(2) would bind to a port of the '
        + 'kernel\'s choice.',
      hint: 'Add port 0 to accept that, or "*" alone for every port.',
    });
  }
  return issues;
}

/** So that a name can be told from an ordinary word, and be put into other words. */
function inMessage(name: OptionName): string {
  return /[A-Z]/.test(name) ? name : `\`${name}\``;
}

/** An option that says what leaving it out says. */
export function isDefault(name: OptionName, options: ParsedOptions): boolean {
  const value: unknown = options[name];
  if (value === undefined || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (name === 'maxProcesses') return value === DEFAULT_MAX_PROCESSES;
  if (name === 'maxCpu') return value === 100;
  if (name === 'onMemoryExceeded') return value === 'kill';
  return name === 'env' && Object.keys(value as object).length === 0;
}

function canListenUnasked({ netAllowBind }: ParsedOptions): boolean {
  if (netAllowBind === undefined || netAllowBind.length === 0) return true;
  // A mixture with "*" is an issue of its own.
  if (netAllowBind.some((set) => set.kind === 'any')) return true;
  const joined = joinPortSets(netAllowBind);
  return joined.kind === 'any' || joined.ports.includes(0);
}
