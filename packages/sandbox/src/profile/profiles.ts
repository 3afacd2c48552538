/** The profiles of the user: files NAME.toml in one folder. */
import { promises as fs } from 'node:fs';

import { GrammarError } from '../options/grammar/grammar-error.js';
import { parseProfileName } from '../options/grammar/profile-name.js';
import { parseProfileFrom, type Profile } from './parse-profile.js';
import { fileError, fileProfile, namedProfile, profileFolder, readProfile, SUFFIX, type ProfileSource } from './profile-source.js';

/**
 * Reads a profile of the user, or one from anywhere.
 *
 * @param nameOrPath  `build` is the file build.toml of `$XDG_CONFIG_HOME/sandlock/profiles`, or else
 *   `$HOME/.config/sandlock/profiles`; what has a slash in it is a path, as in ./build.toml
 * @throws {ProfileError} there is none, or it makes no sense, with every issue
 */
export async function loadProfile(nameOrPath: string): Promise<Profile> {
  return loadProfileFrom(nameOrPath.includes('/') ? fileProfile(nameOrPath) : namedProfile(nameOrPath));
}

export async function loadProfileFrom(source: ProfileSource): Promise<Profile> {
  return parseProfileFrom(await readProfile(source), source.label);
}

/** Names of the user's profiles, sorted; none where there is no folder yet. @throws {ProfileError} it cannot be told or read */
export async function listProfiles(): Promise<string[]> {
  const folder = profileFolder();
  const files = await fs.readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw fileError({ label: 'profiles', path: folder, named: false }, 'read', error);
  });
  // Where a name is not UTF-8, U+FFFD stands for what it is, and no file is called that.
  return files.filter((file) => file.endsWith(SUFFIX) && !file.includes('\ufffd')).map((file) => file.slice(0, -SUFFIX.length)).filter(isProfileName).sort();
}

/** @throws {ProfileError} there is none */
export async function deleteProfile(source: ProfileSource): Promise<void> {
  await fs.unlink(source.path).catch((error: unknown): never => {
    throw fileError(source, 'removed', error as NodeJS.ErrnoException);
  });
}

/** A file of another name could not be loaded as a profile, and is none. */
function isProfileName(name: string): boolean {
  try {
    parseProfileName(name);
    return true;
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    return false;
  }
}
