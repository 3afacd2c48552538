/** The flags of the policy, made from the options' own records. */
import { ConfigError } from '@sandlock/sandbox';
// An entry point of its own, for the command alone.
// eslint-disable-next-line no-restricted-imports
import { cliFlags, flagPath, optionsFromFlags } from '@sandlock/sandbox/cli-options';

export { cliFlags, optionsFromFlags };

/** The same error for those who wrote flags: each issue under the flag that it was given by. */
export function inFlags(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  return new ConfigError(error.issues.map((issue) => ({ ...issue, path: flagPath(issue.path) })));
}
