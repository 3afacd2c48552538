/**
 * Where two filters disagree, with a call that shows it.
 *
 * Each way through the first program is carried on through the second. What comes out in different actions
 * is a disagreement; nothing coming out is a proof that the filters are equal, over every seccomp_data.
 */
import { type Action, decodeAction } from '../action.js';
import { archOf } from '../architectures.js';
import { FilterError } from '../filter-error.js';
import { type Program } from '../instruction.js';
import { type SeccompData } from '../seccomp-data.js';
import { simulator } from '../simulate.js';
import { type Arch, type SyscallTable } from '../tables/syscall-table.js';
import { explore, type Words } from './explore.js';
import { wordConditions, type WordCondition } from './show-words.js';
import { contains, intersect, MAX_WORD, member, type Ranges, restrict, union } from './word-set.js';

export interface Disagreement {
  /** The architecture, or undefined where none with a table is meant. */
  readonly arch: Arch | undefined;
  /** Names of the calls on which the filters disagree in this way. */
  readonly syscalls: readonly string[];
  /** All their numbers, also those without names. */
  readonly numbers: Ranges;
  /** What must hold of the arguments; empty for any. */
  readonly conditions: readonly WordCondition[];
  readonly a: { readonly action: Action; readonly value: number };
  readonly b: { readonly action: Action; readonly value: number };
  /** A call on which they disagree, checked by simulation. */
  readonly witness: Required<SeccompData>;
}

/**
 * @param options.tables names for the calls, and the architectures told apart
 * @returns the disagreements; empty if and only if the filters answer alike to every call
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_ANALYSIS
 */
export function diff(a: Program, b: Program, options: { readonly tables: readonly SyscallTable[] }): Disagreement[] {
  const [runA, runB] = [simulator(a), simulator(b)];
  const found: Disagreement[] = [];
  for (const wayA of explore(a)) {
    for (const { words, value } of explore(b, wayA.words)) {
      if (value === wayA.value) continue;
      for (const part of byArch(words, options.tables)) {
        const witness = part.words.map((set) => member(set)!);
        if (runA(witness) !== wayA.value || runB(witness) !== value) {
          throw new FilterError('ERR_SANDLOCK_FILTER_ANALYSIS', 'The analysis and the simulator disagree: this is a bug.');
        }
        found.push({
          arch: part.table?.arch ?? archOf(witness[1]!, witness[0]!),
          syscalls: Object.entries(part.table?.numbers ?? {})
            .filter(([, nr]) => contains(part.words[0]!, nr)).map(([name]) => name),
          numbers: part.words[0]!.ranges,
          conditions: wordConditions(part.words),
          a: { action: decodeAction(wayA.value), value: wayA.value },
          b: { action: decodeAction(value), value },
          witness: dataOf(witness),
        });
      }
    }
  }
  return merged(found);
}

interface Part { readonly table: SyscallTable | undefined; readonly words: Words }

/** The calls of each architecture with a table, and those of all others. */
function byArch(words: Words, tables: readonly SyscallTable[]): Part[] {
  const parts: Part[] = [];
  const within = (table: SyscallTable | undefined, arches: Ranges, numbers: Ranges): void => {
    const arch = arches.length === 0 ? undefined : restrict(words[1]!, MAX_WORD, arches);
    const nr = numbers.length === 0 ? undefined : restrict(words[0]!, MAX_WORD, numbers);
    if (arch !== undefined && nr !== undefined) parts.push({ table, words: words.with(0, nr).with(1, arch) });
  };
  let others: Ranges = [0, MAX_WORD];
  for (const audit of new Set(tables.map(({ auditArch }) => auditArch))) {
    others = intersect(others, [...audit === 0 ? [] : [0, audit - 1], ...audit === MAX_WORD ? [] : [audit + 1, MAX_WORD]]);
    const sharing = tables.filter(({ auditArch }) => auditArch === audit);
    const x32 = sharing.find(({ arch }) => arch === 'x32');
    const native = sharing.find(({ arch }) => arch !== 'x32');
    if (x32 === undefined && native?.arch !== 'x86_64') {
      within(native, [audit, audit], [0, MAX_WORD]);
    } else {
      within(native, [audit, audit], [0, 0x3fffffff]);
      within(x32, [audit, audit], [0x40000000, MAX_WORD]);
    }
  }
  within(undefined, others, [0, MAX_WORD]);
  return parts;
}

/** One entry for calls that differ in nothing but their number. */
function merged(found: readonly Disagreement[]): Disagreement[] {
  const byMeaning = new Map<string, Disagreement>();
  for (const one of found) {
    const key = JSON.stringify([one.arch, one.conditions, one.a.value, one.b.value]);
    const before = byMeaning.get(key);
    byMeaning.set(key, before === undefined ? one : {
      ...before,
      syscalls: [...before.syscalls, ...one.syscalls],
      numbers: union([before.numbers, one.numbers]),
    });
  }
  return [...byMeaning.values()];
}

function dataOf(words: readonly number[]): Required<SeccompData> {
  const wide = (i: number): bigint => (BigInt(words[i + 1]!) << 32n) | BigInt(words[i]!);
  return { nr: words[0]!, arch: words[1]!, instructionPointer: wide(2), args: [4, 6, 8, 10, 12, 14].map(wide) };
}
