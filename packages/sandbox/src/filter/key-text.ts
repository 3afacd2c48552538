/**
 * Plain data as text, for what is kept by it or compared with it.
 *
 * JSON, in which a 64-bit value is its digits: registers are compared with such values, and as a number 1 and 1n are the same
 * condition.
 */
export function keyText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}
