/** The flags of the policy, made from the options' own records. */
import { ConfigError, mergeOptions, SandlockError, type SandboxOptions } from '@sandlock/sandbox';
// An entry point of its own, for the command alone.
// eslint-disable-next-line no-restricted-imports
import { cliFlags, flagPath, flagSpelling, flagWords, optionsFromFlags, parseProfileName, profileKey, type Spelling } from '@sandlock/sandbox/cli-options';

export { cliFlags, flagSpelling, optionsFromFlags, parseProfileName, type Spelling };

/** The same error for those who wrote flags or a profile: each issue under what it was given by, and that for the options in its words. */
export function inFlags(error: unknown, spelling: Spelling = flagSpelling): unknown {
  const words = (text: string): string => flagWords(text, spelling);
  if (error instanceof ConfigError) {
    return new ConfigError(error.issues.map(({ path, message, hint }) => (
      { path: flagPath(path, spelling), message: words(message), ...(hint === undefined ? {} : { hint: words(hint) }) })));
  }
  if (error instanceof SandlockError) error.message = words(error.message);
  return error;
}

export interface Layered {
  readonly options: SandboxOptions;
  /** By flag what flags said, and by key what the profile did. */
  readonly spelling: Spelling;
}

/** @param label which profile, for errors */
export function flagsOverProfile(flags: SandboxOptions, profile: SandboxOptions, label: string): Layered {
  const options = mergeOptions(profile, flags);
  return {
    options,
    spelling(option, part) {
      const [flag, key, base, given] = [flagSpelling(option), profileKey(option), profile[option], flags[option]];
      if (base === undefined || key === undefined) return flag;
      const inProfile = `${key}${typeof part === 'number' ? `[${part}]` : part === undefined ? '' : `.${part}`} of ${label}`;
      if (given === undefined) return inProfile;
      if (options[option] === given) return flag; // it was replaced
      if (part === undefined) return `${inProfile} and ${flag!}`;
      if (typeof part === 'number') return part < (base as readonly unknown[]).length ? inProfile : flag;
      return Object.hasOwn(given as object, part) ? flag : inProfile;
    },
  };
}
