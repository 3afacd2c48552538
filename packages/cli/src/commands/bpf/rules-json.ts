/**
 * Rules as JSON: a FilterDescription of @sandlock/bpf, written down.
 *
 *     { "defaultAction": "allow",
 *       "architectures": [{ "arch": "x86_64", "x32Action": "errno(ENOSYS)", "rules": [
 *         { "syscall": "ioctl", "when": [{ "arg": 1, "width": 32, "op": "eq", "value": "0x5412" }], "action": "errno(EPERM)" }]}]}
 *
 * `rules` in place of `architectures` is for one architecture, that of --arch. Whatever is not known is an error: a
 * misspelt key would leave out a condition.
 */
import { type Arch, type ArchRules, type ArgCondition, type FilterDescription, FilterError, type Rule } from '@sandlock/bpf';

import { parseAction } from './action-text.js';
import { parseStrictJson } from './strict-json.js';

/** @returns undefined for what looks like a profile @throws {FilterError} with the JSON path */
export function parseRulesJson(text: string, arch: Arch): FilterDescription | undefined {
  if (!looksLikeRules(text)) return undefined;
  const root = parseStrictJson(text) as Record<string, unknown>;
  known(root, '', ['defaultAction', 'badArchAction', 'architectures', 'rules']);
  if (root['rules'] !== undefined && root['architectures'] !== undefined) throw wrong('rules', 'Rules stand in rules or in architectures, not in both.');
  const description = (architectures: ArchRules[]): FilterDescription => ({
    defaultAction: parseAction(root['defaultAction'], 'defaultAction'),
    ...optional('badArchAction', root['badArchAction'], parseAction),
    architectures,
  });
  if (root['rules'] !== undefined) return description([{ arch, rules: list(root['rules'], 'rules').map((rule, i) => ruleOf(rule, `rules[${i}]`)) }]);
  return description(list(root['architectures'], 'architectures').map((entry, i) => archRules(entry, `architectures[${i}]`)));
}

/** Profiles keep their rules in syscalls, and in architectures have names only. */
function looksLikeRules(text: string): boolean {
  try {
    const root = JSON.parse(text.replace(/^\ufeff/, '')) as { rules?: unknown; architectures?: unknown };
    return root.rules !== undefined
      || (Array.isArray(root.architectures) && root.architectures.some((entry) => typeof entry === 'object'));
  } catch {
    return false; // reading it as a profile says where it is wrong
  }
}

function archRules(value: unknown, path: string): ArchRules {
  const entry = object(value, path);
  known(entry, path, ['arch', 'rules', 'x32Action']);
  return {
    arch: entry['arch'] as Arch,
    rules: list(entry['rules'], `${path}.rules`).map((rule, i) => ruleOf(rule, `${path}.rules[${i}]`)),
    ...optional('x32Action', entry['x32Action'], (action) => parseAction(action, `${path}.x32Action`)),
  };
}

function ruleOf(value: unknown, path: string): Rule {
  const rule = object(value, path);
  known(rule, path, ['syscall', 'when', 'action']);
  const when = rule['when'] === undefined ? [] : list(rule['when'], `${path}.when`);
  return {
    syscall: rule['syscall'] as string | number,
    when: when.map((condition, i) => conditionOf(condition, `${path}.when[${i}]`)),
    action: parseAction(rule['action'], `${path}.action`),
  };
}

/** What the numbers may be is for the compiler to say; here they only get their types. */
function conditionOf(value: unknown, path: string): ArgCondition {
  const condition = object(value, path);
  known(condition, path, ['arg', 'op', 'value', 'mask', 'width', 'signed']);
  const { arg, op, width = 64, signed } = condition;
  return {
    index: arg as ArgCondition['index'],
    op: op as ArgCondition['op'],
    value: number(condition['value'], `${path}.value`),
    ...optional('mask', condition['mask'], (mask) => number(mask, `${path}.mask`)),
    width: width as ArgCondition['width'],
    ...optional('signed', signed, (flag) => flag as boolean),
  };
}

/** JSON has no hexadecimal, and its numbers are doubles, so a string will do too. */
function number(value: unknown, path: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'number') throw wrong(path, `${value} is no whole number that a double holds exactly; write it as a string.`);
  const [, sign, digits] = typeof value === 'string' ? /^(-?)(\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.exec(value) ?? [] : [];
  if (digits === undefined) throw wrong(path, `${JSON.stringify(value)} is no number; write 21522 or "0x5412".`);
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

function optional<K extends string, V>(key: K, value: unknown, parse: (value: unknown, path: string) => V): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: parse(value, key) } as { [P in K]?: V };
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(path, `${JSON.stringify(value)} is not an object.`);
}

function list(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(path, `${JSON.stringify(value)} is not a list.`);
}

function known(value: Record<string, unknown>, path: string, keys: readonly string[]): void {
  const other = Object.keys(value).find((key) => !keys.includes(key));
  if (other !== undefined) throw wrong(path === '' ? other : `${path}.${other}`, `There is no such key here; there are ${keys.join(', ')}.`);
}

function wrong(path: string, message: string): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION', message, { path });
}
