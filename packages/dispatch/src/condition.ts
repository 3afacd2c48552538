/**
 * Conditions of registrations.
 *
 * The filter judges them to decide whether to notify at all. Where several handlers share a call, each is
 * asked only when its own conditions hold, so they are judged here once more, by the same rules.
 */
import { conditionHolds, type ArgCondition } from '@sandlock/bpf';

import { HandlerError } from './errors.js';
import type { When } from './handler.js';

const NO_ARGS: readonly bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];

export function checkedConditions(when: When, syscall: string): readonly ArgCondition[] {
  const list: readonly ArgCondition[] = Array.isArray(when) ? (when as readonly ArgCondition[]) : [when as ArgCondition];
  for (const each of list) {
    try {
      conditionHolds(each, NO_ARGS); // throws for one that is malformed
    } catch (cause) {
      throw new HandlerError('ERR_SANDLOCK_HANDLER_CONDITION',
        `A condition on ${syscall} is none: ${(cause as Error).message}`, { syscall, cause });
    }
  }
  return Object.freeze([...list]);
}

export function allHold(conditions: readonly ArgCondition[], args: readonly bigint[]): boolean {
  for (const each of conditions) if (!conditionHolds(each, args)) return false;
  return true;
}
