/**
 * Users: `UID:GID`, or { uid, gid }.
 *
 * Both halves, always: a default for the group would be a guess. 4294967295 is (uid_t)-1, which system
 * calls read as "leave unchanged", so it names nobody. setuid(2), setreuid(2).
 */
import { GrammarError, show } from './grammar-error.js';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

const MAX_ID = 0xfffffffe;

/** @throws {GrammarError} */
export function parseUser(value: unknown): UserIds {
  if (typeof value === 'string') {
    const match = /^(\d+):(\d+)$/.exec(value);
    if (match === null) throw new GrammarError(`${show(value)} is no user.`, 'Write UID:GID in decimal, as in 1000:1000.');
    return { uid: checkId(Number(match[1]), 'uid'), gid: checkId(Number(match[2]), 'gid') };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GrammarError(`A user is { uid, gid } or "UID:GID", not ${show(value)}.`);
  }
  for (const key of Object.keys(value)) {
    if (key !== 'uid' && key !== 'gid') throw new GrammarError(`A user has no property ${show(key)}.`, 'It is { uid, gid }.');
  }
  const { uid, gid } = value as { uid?: unknown; gid?: unknown };
  for (const [name, id] of [['uid', uid], ['gid', gid]] as const) {
    if (id === undefined) throw new GrammarError(`${name} is missing.`, 'A user needs both uid and gid.');
  }
  return { uid: checkId(uid, 'uid'), gid: checkId(gid, 'gid') };
}

function checkId(id: unknown, name: string): number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_ID) return id;
  throw new GrammarError(`${name} is ${show(id)}; it is a whole number from 0 to ${MAX_ID}.`);
}
