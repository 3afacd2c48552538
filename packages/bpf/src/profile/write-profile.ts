/**
 * Filters as profiles: the `linux.seccomp` object of the OCI runtime specification.
 *
 * The form says less than a description does: one list for all architectures, no order among rules, whole
 * 64-bit comparisons only. What cannot be said in it is an error; nothing is written that would mean
 * something else. The bad-architecture action and that for x32 are the runtime's and are left out.
 */
import { type Action, encodeAction } from '../action.js';
import { type ArgCondition } from '../arg-condition.js';
import { checkDescription, type FilterDescription, type Rule } from '../description.js';
import { FilterError } from '../filter-error.js';
import { nameIn, numberIn } from '../tables/lookup.js';
import { type SyscallTable } from '../tables/syscall-table.js';
import { PROFILE_ACTIONS, PROFILE_ARCHES, PROFILE_OPS } from './profile-names.js';

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
  for (const { rules } of lists) for (const [name, those] of rules) if (!all.has(name)) all.set(name, those);
  for (const [i, { table, rules }] of lists.entries()) {
    for (const [name, those] of all) {
      // A name that the architecture lacks is skipped by every reader.
      if (numberIn(table, name) === undefined || JSON.stringify(those, exact) === JSON.stringify(rules.get(name), exact)) continue;
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
    const args = (rule.when ?? []).map((condition, j) => argOf(condition, `${at}.when[${j}]`));
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

function argOf({ index, op, value, mask, width, signed }: ArgCondition, path: string): OciArg {
  const name = Object.keys(PROFILE_OPS).find((key) => PROFILE_OPS[key] === op)!;
  const bits = BigInt.asUintN(width, value);
  if (op === 'maskedEq') return { index, value: plain(mask!), valueTwo: plain(bits), op: name };
  if (op === 'eq' && width === 32) return { index, value: 0xffffffff, valueTwo: plain(bits), op: 'SCMP_CMP_MASKED_EQ' };
  if (width === 32) throw unsayable(path, `A profile compares 64 bits; ${op} over the low 32 cannot be said.`);
  if (signed === true && op !== 'eq' && op !== 'ne') throw unsayable(path, 'A profile compares unsigned numbers only.');
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

function plain(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function exact(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function unsayable(path: string, message: string): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_PROFILE', message, { path });
}
