/**
 * Where profiles are, and what is in their files.
 *
 * A profile decides what a program may do, so it is never looked for where somebody else may have put it: not below the working
 * directory, not in /tmp. https://specifications.freedesktop.org/basedir-spec/latest/
 */
import { constants, promises as fs } from 'node:fs';
import { join } from 'node:path';

import { ProfileError } from '../errors.js';
import { GrammarError } from '../options/grammar/grammar-error.js';
import { parseProfileName } from '../options/grammar/profile-name.js';

export interface ProfileSource {
  /** For errors: `profile "build"`, or the path as given. */
  readonly label: string;
  readonly path: string;
  /** Found by its name in the folder, where there is nothing but files. */
  readonly named: boolean;
}

export const SUFFIX = '.toml';
/** A hundred times what any profile has, and nothing that ends /dev/zero. */
const MOST_BYTES = 1 << 20;

/** @throws {ProfileError} neither XDG_CONFIG_HOME nor HOME says where */
export function profileFolder(environment: NodeJS.ProcessEnv = process.env): string {
  // "If an implementation encounters a relative path in any of these variables it should consider the path invalid and ignore it."
  const absolute = (path: string | undefined): string | undefined => (path?.startsWith('/') === true ? path : undefined);
  const config = absolute(environment['XDG_CONFIG_HOME']);
  const home = absolute(environment['HOME']);
  if (config === undefined && home === undefined) {
    throw new ProfileError('ERR_SANDLOCK_PROFILE_NOT_FOUND', 'profiles', [{
      path: '', message: 'There is no folder for them: neither XDG_CONFIG_HOME nor HOME is set to an absolute path.',
      hint: 'Set one of them, or name a profile by the path of its file.',
    }]);
  }
  return join(config ?? join(home!, '.config'), 'sandlock/profiles');
}

/** @throws {ProfileError} no profile can have this name, or there is no folder */
export function namedProfile(name: string): ProfileSource {
  const label = `profile ${JSON.stringify(name)}`;
  try {
    return { label, path: join(profileFolder(), `${parseProfileName(name)}${SUFFIX}`), named: true };
  } catch (error) {
    if (!(error instanceof GrammarError)) throw error;
    throw new ProfileError('ERR_SANDLOCK_PROFILE_NOT_FOUND', label, [{
      path: '', message: error.message, hint: `${error.hint === undefined ? '' : `${error.hint} `}A path has a slash, as in ./build.toml.`,
    }]);
  }
}

/** @param path from the working directory, if it is relative */
export function fileProfile(path: string): ProfileSource {
  return { label: path, path, named: false };
}

/** @throws {ProfileError} */
export async function readProfile(source: ProfileSource): Promise<string> {
  const bytes = await readBytes(source).catch((error: unknown): never => {
    throw error instanceof ProfileError ? error : fileError(source, 'read', error as NodeJS.ErrnoException);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(source, 'It is not UTF-8, as TOML is.', 'Save it as UTF-8.');
  }
}

/** @param what  was to happen to it @param error  of the system call */
export function fileError({ label, path, named }: ProfileSource, what: 'read' | 'removed', error: NodeJS.ErrnoException): ProfileError {
  const code = error.code ?? String(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') {
    return new ProfileError('ERR_SANDLOCK_PROFILE_INVALID', label, [{ path: '', message: `${path} cannot be ${what} (${code}).`, hint: 'See to its permissions.' }], error);
  }
  const hint = named ? 'Make that file, or list those there are by "sandlock profile list".' : 'See to its path.';
  return new ProfileError('ERR_SANDLOCK_PROFILE_NOT_FOUND', label, [{ path: '', message: `There is no file ${path} (${code}).`, hint }], error);
}

async function readBytes(source: ProfileSource): Promise<Uint8Array> {
  // A FIFO in the folder would be waited for. A path may name one: that is how a shell hands over what it made.
  const file = await fs.open(source.path, source.named ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY);
  try {
    if (source.named && !(await file.stat()).isFile()) throw invalid(source, `${source.path} is no regular file.`, 'Name such a one by its path.');
    const parts: Uint8Array[] = [];
    for (let length = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64 << 10));
      if (bytesRead === 0) return Buffer.concat(parts);
      length += bytesRead;
      if (length > MOST_BYTES) throw invalid(source, `It is longer than ${MOST_BYTES} bytes.`, 'No profile is; see to its path.');
      parts.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function invalid({ label }: ProfileSource, message: string, hint: string): ProfileError {
  return new ProfileError('ERR_SANDLOCK_PROFILE_INVALID', label, [{ path: '', message, hint }]);
}
