/**
 * How many instructions a call costs: the longest way that each call of an architecture can go.
 */
import { SECCOMP_RET_ALLOW } from '../action.js';
import { type Program } from '../instruction.js';
import { type SyscallTable } from '../tables/syscall-table.js';
import { explore } from './explore.js';
import { contains } from './word-set.js';

export interface PathLengths {
  /** Over the calls counted: the mean of their longest ways. */
  readonly mean: number;
  /** The longest way of any. */
  readonly worst: number;
  /** Per name, the longest way it can go. */
  readonly syscalls: Readonly<Record<string, number>>;
}

/**
 * @param options.allowedOnly count only ways that end in ALLOW: the calls that a program makes all the time
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_ANALYSIS
 */
export function pathLengths(program: Program, table: SyscallTable, options: { readonly allowedOnly?: boolean } = {}): PathLengths {
  const ways = explore(program).filter(({ words, value }) =>
    contains(words[1]!, table.auditArch) && (options.allowedOnly !== true || value === SECCOMP_RET_ALLOW));
  const syscalls: Record<string, number> = {};
  for (const [name, nr] of Object.entries(table.numbers)) {
    const steps = ways.filter(({ words }) => contains(words[0]!, nr)).map((way) => way.steps);
    if (steps.length > 0) syscalls[name] = Math.max(...steps);
  }
  const lengths = Object.values(syscalls);
  return {
    mean: lengths.length === 0 ? 0 : lengths.reduce((sum, steps) => sum + steps, 0) / lengths.length,
    worst: Math.max(0, ...lengths),
    syscalls,
  };
}
