/**
 * Filters as profiles: the `linux.seccomp` object of the OCI runtime specification.
 *
 * The form says less than a description does: one list for all architectures, no order among rules, unsigned
 * comparisons only, of 64 bits or, where registers count as narrow, of 32. What cannot be said in it is an error; nothing is written that would mean
 * something else. The bad-architecture action and that for x32 are the runtime's and are left out.
 */
import { type Action, encodeAction } from '../action.js';
import { type ArgCondition } from '../arg-condition.js';
import { checkDescription, type FilterDescription, type Rule } from '../description.js';
import { FilterError } from '../filter-error.js';
import { nameIn, numberIn } from '../tables/lookup.js';
import { type Arch, type SyscallTable } from '../tables/syscall-table.js';
import { NARROW_ARCHES, PROFILE_ACTIONS, PROFILE_ARCHES, PROFILE_OPS } from './profile-names.js';

export interface OciSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciSyscall[];
}

export interface OciSyscall {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly OciArg[];
}

export interface OciArg {
  readonly index: number;
  /** A bigint where a double would not hold it: write the object with {@link profileToJson}. */
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: string;
}

/**
 * @throws {FilterError} ERR_SANDLOCK_FILTER_PROFILE for what the form cannot say, with its place in the description
 */
export function writeProfile(description: FilterDescription, options: { readonly tables: readonly SyscallTable[] }): OciSeccomp {
  checkDescription(description, options.tables);
  const lists = description.architectures.map((entry, i) => {
    const table = options.tables.find(({ arch }) => arch === entry.arch);
    if (table === undefined) throw unsayable(`architectures[${i}].arch`, `No syscall table for ${entry.arch} was passed.`);
    return { table, rules: namedRules(entry.rules, table, description.defaultAction, `architectures[${i}]`) };
  });
  const all = new Map<string, readonly OciSyscall[]>();
  // Whole values come from the wide architectures; readers cut them for the others.
  const narrow = ({ table }: { table: SyscallTable }): number => Number(NARROW_ARCHES.has(table.arch));
  for (const { rules } of [...lists].sort((a, b) => narrow(a) - narrow(b))) {
    for (const [name, those] of rules) if (!all.has(name)) all.set(name, those);
  }
  for (const [i, { table, rules }] of lists.entries()) {
    for (const [name, those] of all) {
      // A name that the architecture lacks is skipped by every reader.
      if (numberIn(table, name) === undefined || asRead(those, table.arch) === asRead(rules.get(name) ?? [], table.arch)) continue;
      throw unsayable(`architectures[${i}].rules`,
        `The rules on ${name} differ between architectures, and a profile has one list for all of them.`);
    }
  }
  const { type, errnoRet } = actionOf(description.defaultAction, 'defaultAction');
  return {
    defaultAction: type,
    ...(errnoRet === undefined ? {} : { defaultErrnoRet: errnoRet }),
    architectures: lists.map(({ table }) => Object.keys(PROFILE_ARCHES).find((name) => PROFILE_ARCHES[name] === table.arch)!),
    syscalls: gathered([...all.values()].flat()),
  };
}

/** JSON text with integers of any size: JSON.stringify refuses bigints. */
export function profileToJson(profile: OciSeccomp, indent = 2): string {
  // Strings cannot hold the marker: names and constants are all that a profile has.
  return JSON.stringify(profile, (_, value: unknown) => typeof value === 'bigint' ? `\u0001${value}\u0001` : value, indent)
    .replace(/"\\u0001(\d+)\\u0001"/g, '$1');
}

function namedRules(rules: readonly Rule[], table: SyscallTable, defaultAction: Action, path: string): Map<string, OciSyscall[]> {
  const byName = new Map<string, OciSyscall[]>();
  const defaultRet = encodeAction(defaultAction);
  for (const [i, rule] of rules.entries()) {
    const at = `${path}.rules[${i}]`;
    const name = typeof rule.syscall === 'string' ? rule.syscall : nameIn(table, rule.syscall);
    if (name === undefined) throw unsayable(`${at}.syscall`, `${rule.syscall} has no name on ${table.arch}, and a profile has only names.`);
    const args = (rule.when ?? []).map((condition, j) => argOf(condition, table.arch, `${at}.when[${j}]`));
    if (new Set(args.map(({ index }) => index)).size < args.length) {
      throw unsayable(`${at}.when`, 'Two conditions on one argument would hold if either does, in a profile.');
    }
    const { type: action, errnoRet } = actionOf(rule.action, `${at}.action`);
    const written: OciSyscall = { names: [name], action, ...(errnoRet === undefined ? {} : { errnoRet }), ...(args.length === 0 ? {} : { args }) };
    const before = byName.get(name) ?? [];
    const isDefault = encodeAction(rule.action) === defaultRet;
    if (before.length > 0 && args.length === 0 && isDefault) continue; // what is left falls to the default anyhow
    const first = before[0];
    if (isDefault || (first !== undefined && (args.length === 0 || first.action !== action || first.errnoRet !== errnoRet))) {
      // A reader drops rules with the default action, and keeps no order between the others.
      if (before.length === 0 && args.length === 0) continue;
      throw unsayable(at, `The rules on ${name} depend on their order, which a profile does not keep.`);
    }
    byName.set(name, [...before, written]);
  }
  return byName;
}

function argOf({ index, op, value, mask, width, signed }: ArgCondition, arch: Arch, path: string): OciArg {
  const name = Object.keys(PROFILE_OPS).find((key) => PROFILE_OPS[key] === op)!;
  const bits = BigInt.asUintN(width, value);
  if (signed === true && op !== 'eq' && op !== 'ne' && op !== 'maskedEq') {
    throw unsayable(path, 'A profile compares unsigned numbers only.');
  }
  if (NARROW_ARCHES.has(arch)) {
    // The upper half is 0 on i386 and arm, so that 64 bits ask for no more than 32 do. On x32 they may.
    if (width === 64 && (arch === 'x32' || bits > 0xffffffffn || (mask ?? 0n) > 0xffffffffn)) {
      throw unsayable(path, `On ${arch} a profile compares the low 32 bits only; use arg32().`);
    }
  } else if (width === 32 && op === 'eq') {
    return { index, value: 0xffffffff, valueTwo: plain(bits), op: 'SCMP_CMP_MASKED_EQ' };
  } else if (width === 32 && op !== 'maskedEq') {
    throw unsayable(path, `On ${arch} a profile compares 64 bits; ${op} over the low 32 cannot be said.`);
  }
  if (op === 'maskedEq') return { index, value: plain(mask!), valueTwo: plain(bits), op: name };
  return { index, value: plain(bits), op: name };
}

function actionOf(action: Action, path: string): { type: string; errnoRet?: number } {
  const type = Object.keys(PROFILE_ACTIONS).findLast((name) => PROFILE_ACTIONS[name] === action.type)!;
  if (action.type === 'errno') return { type, errnoRet: action.errno };
  if (action.type === 'trace') return { type, errnoRet: action.data };
  if (action.type === 'trap' && action.data !== 0) throw unsayable(`${path}.data`, 'TRAP has no data in a profile.');
  return { type };
}

/** Rules that differ in nothing but the name become one. */
function gathered(rules: readonly OciSyscall[]): OciSyscall[] {
  const byMeaning = new Map<string, OciSyscall>();
  for (const rule of rules) {
    const key = JSON.stringify({ ...rule, names: [] }, exact);
    const before = byMeaning.get(key);
    byMeaning.set(key, before === undefined ? rule : { ...before, names: [...before.names, ...rule.names] });
  }
  return [...byMeaning.values()];
}

/** Rules in one text per meaning on an architecture. */
function asRead(rules: readonly OciSyscall[], arch: Arch): string {
  const cut = (value: number | bigint): string => String(NARROW_ARCHES.has(arch) ? BigInt.asUintN(32, BigInt(value)) : value);
  return JSON.stringify(rules.map(({ args = [], ...rule }) => ({
    ...rule, args: args.map(({ index, op, value, valueTwo = 0 }) => [index, op, cut(value), cut(valueTwo)]),
  })));
}

function plain(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function exact(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function unsayable(path: string, message: string): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_PROFILE', message, { path });
}
