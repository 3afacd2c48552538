/** The flags of the policy, made from the options' own records. */
import { ConfigError, SandlockError } from '@sandlock/sandbox';
// An entry point of its own, for the command alone.
// eslint-disable-next-line no-restricted-imports
import { cliFlags, flagPath, flagWords, optionsFromFlags } from '@sandlock/sandbox/cli-options';

export { cliFlags, optionsFromFlags };

/** The same error for those who wrote flags: each issue under the flag that it was given by, and flags for the options in its words. */
export function inFlags(error: unknown): unknown {
  if (error instanceof ConfigError) {
    return new ConfigError(error.issues.map(({ path, message, hint }) => (
      { path: flagPath(path), message: flagWords(message), ...(hint === undefined ? {} : { hint: flagWords(hint) }) })));
  }
  if (error instanceof SandlockError) error.message = flagWords(error.message);
  return error;
}
