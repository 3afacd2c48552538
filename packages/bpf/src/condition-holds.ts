/**
 * What a condition means, in arithmetic: the reference that compiled filters are tested against.
 */
import { type ArgCondition, checkCondition } from './arg-condition.js';

/**
 * Does the condition hold for these arguments?
 *
 * @param args register values; missing ones are 0, bits above 64 are cut off
 * @throws {FilterError} ERR_SANDLOCK_FILTER_ARGUMENT for a condition that is malformed
 */
export function conditionHolds(condition: ArgCondition, args: readonly (number | bigint)[]): boolean {
  checkCondition(condition);
  const { index, op, width } = condition;
  const cut = condition.signed === true ? BigInt.asIntN : BigInt.asUintN;
  const actual = cut(width, BigInt(args[index] ?? 0));
  const value = cut(width, condition.value);
  switch (op) {
    case 'eq': return actual === value;
    case 'ne': return actual !== value;
    case 'lt': return actual < value;
    case 'le': return actual <= value;
    case 'gt': return actual > value;
    case 'ge': return actual >= value;
    case 'maskedEq': return cut(width, actual & condition.mask!) === value;
  }
}
