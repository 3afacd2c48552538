import { expect } from 'vitest';

import { ProfileError, type ConfigIssue, type ProfileErrorCode } from '../../src/errors.js';

/** What is wrong with a profile; nothing for one that can be used. */
export async function errorOf(work: Promise<unknown>, code: ProfileErrorCode): Promise<ProfileError> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProfileError);
  expect(error).toMatchObject({ code });
  return error as ProfileError;
}

export async function issuesOf(work: Promise<unknown>): Promise<readonly ConfigIssue[]> {
  return (await errorOf(work, 'ERR_SANDLOCK_PROFILE_INVALID')).issues;
}
