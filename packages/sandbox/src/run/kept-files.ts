/**
 * What a start of a sandbox has found of its granted files, kept for the next start.
 *
 * Dividing grants takes longer than all else that comes before a program, and what it goes by is looked at in a moment: the mounts,
 * what granted paths and the files behind views lead to, and the directories that were listed. Where all of that is as it was, the
 * same comes of it. It is not kept where a look cannot tell: near a sysfs or control groups, whose directories change without
 * a sign; where what is above a procfs could be renamed, or was refused to us and need not be the next time; and where something
 * is so new that its next change might have the same time.
 */
import type { SocketCopies } from '@sandlock/builtins';
import { PathSet, type PathLook, type PathLooks } from '@sandlock/sys';
import { dirname } from 'node:path';

import { isSettled } from '../landlock/listing.js';
import { isMovable, isWithin, SPECIAL } from '../landlock/mount-points.js';
import { readMountTable, type MountTable } from '../landlock/mount-table.js';
import { identityOf, MISSING } from '../landlock/identities.js';
import { pathBytes, pathText } from '../policy/path-text.js';
import type { Policy } from '../policy/policy.js';
import type { RealPaths } from '../policy/real-paths.js';
import type { GrantedFiles } from './granted-files.js';
import type { ViewGrants } from './view-grants.js';

export interface FoundFiles {
  /** The grants that are there. */
  readonly fs: Policy['fs'];
  readonly grants: ViewGrants;
  /** Names of what views stand in for. */
  readonly views: readonly string[];
  readonly granted: GrantedFiles;
}

interface Kept {
  readonly copies: SocketCopies;
  readonly mounts: MountTable;
  readonly paths: PathSet;
  readonly looks: PathLooks;
  readonly found: FoundFiles;
}

export class KeptFiles {
  readonly #policy: Policy;
  #kept: Kept | undefined;
  #starts = 0;

  /** @param policy of the sandbox, with all grants */
  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /** @param copies on which its rules for the network depend @returns undefined: it has to be found anew */
  find(copies: SocketCopies): FoundFiles | undefined {
    this.#starts++;
    const kept = this.#kept;
    if (kept === undefined) return undefined;
    if (kept.copies === copies && readMountTable() === kept.mounts && kept.paths.look().equals(kept.looks)) return kept.found;
    this.#kept = undefined;
    return undefined;
  }

  /**
   * @param real     what the paths of the grants led to
   * @param beganMs  when it was begun to look, by Date.now()
   * @param mounts   from mountTable(), before that
   */
  keep(copies: SocketCopies, found: FoundFiles, real: RealPaths, mounts: MountTable, beganMs: number): void {
    if (this.#starts === 1) return; // the first start of a sandbox is often its only one
    const policy = this.#policy;
    if (policy.gpus !== null || !found.granted.isLasting || mounts.some((mount) => SPECIAL.includes(mount.type) && isMovable(mount, mounts))) return;
    const special = (path: string) => mounts.some((mount) => SPECIAL.includes(mount.type) && isWithin(path, mount.path));
    const paths = pathsOf(policy, found.views.filter((path) => !special(path)));
    const before = new PathSet(paths).look().list();
    const grants = policy.fs.writable.length + policy.fs.readable.length;
    if (before.slice(0, grants).some((look, i) => !isPlain(look, real.of(paths[i]!), mounts))) return;
    const listed = new Set([...found.granted.served.directories, ...before.slice(grants).flatMap(({ real: path }) => (path === undefined ? [] : above(pathText(path))))]);
    const set = new PathSet(paths, [...listed].map(pathBytes));
    const looks = set.look();
    const list = looks.list();
    if (!list.every(({ real: path, timeNs }) => path === undefined || isSettled({ ctimeNs: timeNs }, beganMs))) return;
    // What the rules are for is what is there: another name in between would not be seen by the next look.
    const identities = new Map([...paths.map(pathText), ...listed].map((path, i) => [path, list[i]!]));
    const isThere = found.granted.landlock.pathRules.every(({ path, judged }) => {
      const look = identities.get(pathText(path));
      return look !== undefined && judged === (look.real === undefined ? MISSING : identityOf(look));
    });
    if (isThere) this.#kept = { copies, mounts, paths: set, looks, found };
  }
}

/** The policy's grants, then what else is gone by. */
function pathsOf({ fs, cwd }: Policy, views: readonly string[]): Uint8Array[] {
  return [...[...fs.writable, ...fs.readable].map(({ path }) => path), ...(cwd === null ? [] : [cwd]), ...views.map(pathBytes)];
}

/** Whether a grant leads where it was taken to lead, and no file system is near whose directories change without a sign. */
function isPlain(look: PathLook, real: string | undefined, mounts: MountTable): boolean {
  if ((look.real && pathText(look.real)) !== real) return false;
  return real === undefined || !mounts.some(({ path, type }) => (
    SPECIAL.includes(type) && type !== 'proc' && (isWithin(real, path) || isWithin(path, real))));
}

/** The directories above a path, the root included. */
function above(path: string): string[] {
  const directory = dirname(path);
  return directory === path ? [] : [directory, ...above(directory)];
}
