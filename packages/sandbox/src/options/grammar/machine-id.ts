/** Machine ids: 32 hexadecimal digits, with dashes or without, as UUIDs are written. machine-id(5) */
import { GrammarError, show } from './grammar-error.js';

/** @throws {GrammarError} */
export function parseMachineId(value: unknown): string {
  const digits = typeof value === 'string' ? value.trim().replaceAll('-', '').toLowerCase() : '';
  if (/^(?!0+$)[0-9a-f]{32}$/.test(digits)) return digits;
  throw new GrammarError(`${show(value)} is no machine id.`, 'Write 32 hexadecimal digits, not all of them 0.');
}
