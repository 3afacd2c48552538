/**
 * What a grammar throws, and how it becomes part of a schema.
 *
 * Every small language of the options (ports, net rules, users, names) is a plain function from a value to
 * what it stands for. It knows nothing of schemas, so that it can be public and tested alone; `grammar()`
 * turns it into a valibot schema, which adds the path of the option to its error.
 */
import { SandlockError } from '@sandlock/sys';
import * as v from 'valibot';

/** A value that is not of this language. Among options it becomes an issue of a ConfigError. */
export class GrammarError extends SandlockError {
  declare readonly code: 'ERR_SANDLOCK_GRAMMAR';
  /** What to write instead. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super('ERR_SANDLOCK_GRAMMAR', message);
    this.hint = hint;
  }
}

/** A schema that accepts what `parse` takes and yields what it makes of it. */
export function grammar<Input, Output>(parse: (value: unknown) => Output) {
  return v.pipe(
    v.custom<Input>(() => true),
    v.rawTransform<Input, Output>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof GrammarError)) throw error;
        // valibot's word for what would have been right; issues.ts reads it back as the hint.
        addIssue(error.hint === undefined ? { message: error.message }
          : { message: error.message, expected: error.hint });
        return NEVER;
      }
    }),
  );
}

/** A value for a message: short, quoted where it is text, control characters escaped. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Uint8Array) return 'a Buffer';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
