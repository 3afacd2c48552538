/**
 * A filter as its author describes it, and the check that it means one thing only.
 *
 * The order of rules counts for one syscall at a time: the first rule whose conditions all hold decides. So
 * deny before notify is said by writing the denial first.
 */
import { type Action, encodeAction, errno, killProcess } from './action.js';
import { ARCHES, AUDIT_ARCH, isArch, X32_SYSCALL_BIT } from './architectures.js';
import { type ArgCondition, checkCondition } from './arg-condition.js';
import { FilterError } from './filter-error.js';
import { showValue } from './show-value.js';
import { numberIn } from './tables/lookup.js';
import { type Arch, type SyscallTable } from './tables/syscall-table.js';

export interface Rule {
  /** A name of the architecture's table, or a number. */
  readonly syscall: string | number;
  /** All must hold; leaving them out, or an empty list, means always. */
  readonly when?: readonly ArgCondition[];
  readonly action: Action;
}

export interface ArchRules {
  readonly arch: Arch;
  readonly rules: readonly Rule[];
  /**
   * Only with x86_64: what x32 calls get when x32 is not named beside it. Default ERRNO(ENOSYS), which is
   * what a kernel without x32 answers.
   */
  readonly x32Action?: Action;
}

export interface FilterDescription {
  /** For every call that no rule decides. */
  readonly defaultAction: Action;
  /** For calls of architectures that are not named. Default KILL_PROCESS. */
  readonly badArchAction?: Action;
  readonly architectures: readonly ArchRules[];
}

/** A description in numbers. */
export interface CheckedDescription {
  readonly defaultRet: number;
  readonly badArchRet: number;
  readonly architectures: readonly CheckedArch[];
}

export interface CheckedArch {
  readonly arch: Arch;
  readonly auditArch: number;
  readonly x32Ret: number;
  /** Per number the rules in order, the numbers in the order of their first rules. */
  readonly rules: ReadonlyMap<number, readonly CheckedRule[]>;
}

export interface CheckedRule {
  readonly when: readonly ArgCondition[];
  readonly ret: number;
}

/**
 * @param tables syscall tables to resolve names with; numbers need none
 * @throws {FilterError}
 */
export function checkDescription(description: FilterDescription, tables: readonly SyscallTable[]): CheckedDescription {
  if (typeof description !== 'object' || description === null) throw notShape('', description, 'a filter description');
  const { defaultAction, badArchAction = killProcess(), architectures } = description;
  if (!Array.isArray(architectures)) throw notShape('architectures', architectures, 'an array');
  if (architectures.length === 0) {
    throw new FilterError('ERR_SANDLOCK_FILTER_ARCH', 'A filter needs at least one architecture.', { path: 'architectures' });
  }
  const named = new Set<Arch>();
  for (const [i, entry] of (architectures as readonly ArchRules[]).entries()) {
    const path = `architectures[${i}]`;
    if (typeof entry !== 'object' || entry === null) throw notShape(path, entry, 'an object');
    if (!isArch(entry.arch)) {
      throw new FilterError('ERR_SANDLOCK_FILTER_ARCH',
        `${showValue(entry.arch)} is no architecture known here; known are ${ARCHES.join(', ')}.`, { path: `${path}.arch` });
    }
    if (named.has(entry.arch)) {
      throw new FilterError('ERR_SANDLOCK_FILTER_ARCH', `${entry.arch} is named twice.`, { path: `${path}.arch` });
    }
    named.add(entry.arch);
  }
  return {
    defaultRet: encodeAction(defaultAction, 'defaultAction'),
    badArchRet: encodeAction(badArchAction, 'badArchAction'),
    architectures: (architectures as readonly ArchRules[])
      .map((entry, i) => checkArch(entry, `architectures[${i}]`, named, tables)),
  };
}

function checkArch(entry: ArchRules, path: string, named: Set<Arch>, tables: readonly SyscallTable[]): CheckedArch {
  const { arch, rules, x32Action } = entry;
  if (!Array.isArray(rules)) throw notShape(`${path}.rules`, rules, 'an array');
  if (x32Action !== undefined && (arch !== 'x86_64' || named.has('x32'))) {
    throw new FilterError('ERR_SANDLOCK_FILTER_CONFLICT',
      arch === 'x86_64' ? 'x32 has rules of its own here, so this action would decide nothing.'
        : `x32Action belongs to x86_64, not to ${arch}.`, { path: `${path}.x32Action` });
  }
  const table = tables.find((one) => one.arch === arch);
  const checked = new Map<number, CheckedRule[]>();
  for (const [i, rule] of (rules as readonly Rule[]).entries()) {
    const at = `${path}.rules[${i}]`;
    if (typeof rule !== 'object' || rule === null) throw notShape(at, rule, 'an object');
    const nr = syscallOf(arch, table, rule.syscall, `${at}.syscall`);
    const when = rule.when ?? [];
    if (!Array.isArray(when)) throw notShape(`${at}.when`, when, 'an array');
    for (const [j, condition] of (when as readonly ArgCondition[]).entries()) checkCondition(condition, `${at}.when[${j}]`);
    const before = checked.get(nr) ?? [];
    if (before.some((earlier) => earlier.when.length === 0)) {
      throw new FilterError('ERR_SANDLOCK_FILTER_CONFLICT',
        `An earlier rule decides every ${rule.syscall} on ${arch}, so this one never would; put it first or drop one.`,
        { path: at });
    }
    before.push({ when, ret: encodeAction(rule.action, `${at}.action`) });
    checked.set(nr, before);
  }
  return {
    arch, auditArch: AUDIT_ARCH[arch], x32Ret: encodeAction(x32Action ?? errno('ENOSYS'), `${path}.x32Action`), rules: checked,
  };
}

function syscallOf(arch: Arch, table: SyscallTable | undefined, syscall: string | number, path: string): number {
  const fail = (message: string): never => {
    throw new FilterError('ERR_SANDLOCK_FILTER_SYSCALL', message, { path });
  };
  if (typeof syscall === 'string') {
    if (table === undefined) {
      throw new FilterError('ERR_SANDLOCK_FILTER_ARCH',
        `No syscall table for ${arch} was passed, so names cannot be resolved; pass it in options.tables.`, { path });
    }
    return numberIn(table, syscall) ?? fail(`${arch} has no system call ${showValue(syscall)} (Linux ${table.kernel}).`);
  }
  if (!Number.isInteger(syscall) || syscall < 0 || syscall > 0xffffffff) {
    return fail(`${showValue(syscall)} is neither a name nor a number from 0 to 0xffffffff.`);
  }
  if (arch === 'x86_64' && syscall >= X32_SYSCALL_BIT) {
    fail(`0x${syscall.toString(16)} has bit 30, which marks x32; name the architecture x32.`);
  }
  if (arch === 'x32' && syscall < X32_SYSCALL_BIT) fail(`x32 numbers have bit 30: write 0x40000000 + ${syscall}.`);
  return syscall;
}

function notShape(path: string, value: unknown, wanted: string): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION', `${showValue(value)} is not ${wanted}.`,
    { path: path === '' ? undefined : path });
}
