/**
 * Whether the granted paths are there.
 *
 * Asked at the start, before any process exists, and all at once: a list with three missing paths is one error.
 * Nothing is opened, so a FIFO does not block and a file needs no right to be read. What is opened later may be
 * another file by then; this check is for good messages, not for safety.
 */
import { statSync } from 'node:fs';

import { ConfigError, type ConfigIssue } from '../errors.js';
import { showPath } from '../options/grammar/fs-path.js';
import type { Policy, PolicyGrant } from './policy.js';

/**
 * @returns the grants without those optional ones that are missing
 * @throws {ConfigError} every path that is missing or cannot be looked up, and a cwd that is no directory
 */
export function resolveGrants(policy: Policy): Policy['fs'] {
  const issues: ConfigIssue[] = [];
  const present = (grants: readonly PolicyGrant[]): PolicyGrant[] => grants.filter((grant) => {
    const problem = lookUp(grant.path);
    if (problem === undefined) return true;
    const missing = problem.code === 'ENOENT' || problem.code === 'ENOTDIR';
    if (missing && grant.optional) return false;
    issues.push({
      path: grant.from,
      message: `${showPath(grant.path)} ${missing ? 'does not exist' : 'cannot be granted'} (${problem.code}).`,
      ...(missing ? { hint: `Where it may be missing, write { path, optional: true }${grant.from.startsWith('fsReadable') ? ', or --fs-read-if-exists' : ''}.` } : {}),
    });
    return true;
  });
  const fs = { writable: present(policy.fs.writable), readable: present(policy.fs.readable) };
  if (policy.cwd !== null) issues.push(...checkDirectory(policy.cwd));
  if (issues.length > 0) throw new ConfigError(issues);
  return fs;
}

function checkDirectory(path: Uint8Array): ConfigIssue[] {
  const found = lookUp(path);
  if (found !== undefined) return [{ path: 'cwd', message: `${showPath(path)} cannot be entered (${found.code}).` }];
  return statSync(toBuffer(path)).isDirectory() ? [] : [{ path: 'cwd', message: `${showPath(path)} is no directory.` }];
}

/** undefined: it is there. */
function lookUp(path: Uint8Array): { code: string } | undefined {
  try {
    statSync(toBuffer(path));
    return undefined;
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'unknown error' };
  }
}

function toBuffer(path: Uint8Array): Buffer {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength);
}
