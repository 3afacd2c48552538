/**
 * What a filter says, call by call: for programs of any origin, not only this package's.
 */
import { type Action, decodeAction } from '../action.js';
import { X32_SYSCALL_BIT } from '../architectures.js';
import { type Program } from '../instruction.js';
import { type Arch, type SyscallTable } from '../tables/syscall-table.js';
import { constantAllows } from './constant-allow.js';
import { anyWords, explore, type Way } from './explore.js';
import { wordConditions, type WordCondition } from './show-words.js';
import { complement, contains, intersect, MAX_WORD, type Ranges, restrict, union } from './word-set.js';

export interface Verdict {
  /** One action, whatever the arguments are. */
  readonly constant: boolean;
  /** Arguments that the verdict depends on, ascending; empty when constant. */
  readonly args: readonly number[];
  /** The actions there are, each with the cases that lead to it. One case of no conditions when constant. */
  readonly outcomes: readonly Outcome[];
}

export interface Outcome {
  readonly action: Action;
  /** The 32-bit return value. */
  readonly value: number;
  /** Any one of these; in each, all conditions hold. No call is in two of them. */
  readonly cases: readonly (readonly WordCondition[])[];
}

export interface SyscallExplanation extends Verdict {
  readonly name: string;
  readonly nr: number;
  /** Skipped by the kernel's constant-allow cache: the filter does not run at all. Linux 5.11. */
  readonly cached: boolean;
}

export interface ArchExplanation {
  readonly arch: Arch;
  readonly syscalls: readonly SyscallExplanation[];
  /** Numbers without a name in the table. */
  readonly otherNumbers: readonly { readonly action: Action; readonly value: number; readonly ranges: Ranges }[];
}

export interface Explanation {
  readonly architectures: readonly ArchExplanation[];
  /** What happens to a call of any architecture that is not among these. */
  readonly otherArchitectures: Verdict;
}

/**
 * @param options.tables the architectures to explain
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_ANALYSIS
 */
export function explain(program: Program, options: { readonly tables: readonly SyscallTable[] }): Explanation {
  const ways = explore(program);
  const audits = [...new Set(options.tables.map(({ auditArch }) => auditArch))].sort((a, b) => a - b);
  const foreign = complement(audits.flatMap((audit) => [audit, audit]));
  return {
    architectures: options.tables.map((table) => explainArch(program, table, ways)),
    otherArchitectures: verdictOf(ways.filter(({ words }) => restrict(words[1]!, MAX_WORD, foreign) !== undefined)),
  };
}

function explainArch(program: Program, table: SyscallTable, ways: readonly Way[]): ArchExplanation {
  const here = ways.filter(({ words }) => contains(words[1]!, table.auditArch));
  const cached = new Set(constantAllows(program, table));
  const syscalls = Object.entries(table.numbers).map(([name, nr]): SyscallExplanation => ({
    name, nr, cached: cached.has(name), ...verdictOf(here.filter(({ words }) => contains(words[0]!, nr))),
  }));

  const named = [...new Set(Object.values(table.numbers))].sort((a, b) => a - b);
  const span: Ranges = table.arch === 'x32' ? [X32_SYSCALL_BIT, MAX_WORD]
    : table.arch === 'x86_64' ? [0, X32_SYSCALL_BIT - 1] : [0, MAX_WORD];
  const unnamed = intersect(span, complement(named.flatMap((nr) => [nr, nr])));
  const others = new Map<number, Ranges[]>();
  for (const { words, value } of here) {
    if (restrict(words[0]!, MAX_WORD, unnamed) === undefined) continue;
    others.set(value, [...others.get(value) ?? [], intersect(words[0]!.ranges, unnamed)]);
  }
  return {
    arch: table.arch,
    syscalls,
    otherNumbers: [...others].map(([value, ranges]) => ({ action: decodeAction(value), value, ranges: union(ranges) })),
  };
}

/** The verdict over ways that share arch and nr. */
export function verdictOf(ways: readonly Way[]): Verdict {
  const byValue = new Map<number, Way[]>();
  for (const way of ways) byValue.set(way.value, [...byValue.get(way.value) ?? [], way]);
  const constant = byValue.size === 1;
  const args = new Set<number>();
  const outcomes = [...byValue].map(([value, those]): Outcome => {
    if (constant) return { action: decodeAction(value), value, cases: [[]] };
    for (const { words } of those) {
      for (const [i, set] of words.entries()) if (i >= 4 && set !== anyWords[i]) args.add((i - 4) >> 1);
    }
    return { action: decodeAction(value), value, cases: those.map(({ words }) => wordConditions(words)) };
  });
  return { constant, args: [...args].sort((a, b) => a - b), outcomes };
}
