/** A run with its profile: the flags over what the profile says, and the profile's command where none was given. */
import type { SandboxOptions } from '@sandlock/sandbox';
// An entry point of its own, for the command alone.
// eslint-disable-next-line no-restricted-imports
import { fileProfile, loadProfileFrom, namedProfile } from '@sandlock/sandbox/cli-options';

import { flagSpelling, flagsOverProfile, type Spelling } from './policy-flags.js';
import type { RunRequest } from './run-request.js';

export interface CompleteRun {
  readonly options: SandboxOptions;
  readonly command: readonly (string | Uint8Array)[];
  /** How errors name the options. */
  readonly spelling: Spelling;
}

/** @throws {ProfileError} @throws there is no command */
export async function withProfile({ options, command, profile }: RunRequest): Promise<CompleteRun> {
  if (profile === undefined) return { options, command: command ?? noCommand(), spelling: flagSpelling };
  const source = 'name' in profile ? namedProfile(profile.name) : fileProfile(profile.file);
  const { sandbox, program: { exec, args = [] } } = await loadProfileFrom(source);
  return {
    ...flagsOverProfile(options, sandbox, source.label),
    command: command ?? (exec === undefined ? noCommand(`, and ${source.label} has no exec`) : [exec, ...args]),
  };
}

function noCommand(profile = ''): never {
  throw new Error(`no command was given${profile}. Name a program after the options, or use --exec-shell.`);
}
