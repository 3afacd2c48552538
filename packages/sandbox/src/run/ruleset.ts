/**
 * A Landlock plan as a ruleset of the kernel.
 *
 * Paths are opened with O_PATH: a FIFO does not block, and a file needs no right to be read. What is opened must be what was
 * judged when the plan was made, for its name may lead to something else by now.
 * landlock(7), landlock_add_rule(2).
 */
import {
  AT_FDCWD, close, landlockAddEntryRules, landlockAddPathRule, landlockAddPortRule, landlockCreateRuleset, O_PATH, openat,
  S_IFDIR, S_IFMT, SyscallError,
} from '@sandlock/sys';
import { fstatSync, type BigIntStats } from 'node:fs';

import { ConfigError, ConfinementError } from '../errors.js';
import { accessForTarget } from '../landlock/access-rights.js';
import { identityOf, MISSING } from '../landlock/identities.js';
import type { LandlockPlan, PathRule } from '../landlock/landlock-plan.js';
import { LOOKS, Moved } from '../landlock/moved.js';
import { showPath } from '../options/grammar/fs-path.js';

/** Is told of each path rule what it holds for; undefined: optional, and not there. */
export type RuleObserver = (rule: PathRule, stat: BigIntStats | undefined) => void;

interface Opened {
  readonly fd: number;
  readonly stat: BigIntStats;
}

/**
 * @returns a ruleset descriptor; the caller closes it
 * @throws {ConfigError} a path that is not there any more
 * @throws {ConfinementError} ERR_SANDLOCK_LANDLOCK: the kernel refused it
 * @throws {Moved} a path that leads elsewhere than when it was judged
 */
export function createRuleset(plan: LandlockPlan, observe?: RuleObserver): number {
  const rulesetFd = refusal('landlock_create_ruleset', () =>
    landlockCreateRuleset(plan.handledFs, plan.handledNet, plan.scoped));
  try {
    for (const rule of plan.pathRules) addPathRule(rulesetFd, rule, observe);
    for (const { port, access } of plan.portRules) {
      refusal('landlock_add_rule', () => landlockAddPortRule(rulesetFd, access, port));
    }
    return rulesetFd;
  } catch (error) {
    close(rulesetFd);
    throw error;
  }
}

function addPathRule(rulesetFd: number, rule: PathRule, observe: RuleObserver | undefined): void {
  const opened = openJudged(rule);
  if (opened === undefined) return observe?.(rule, undefined);
  const { fd, stat } = opened;
  try {
    const { access, entries } = rule;
    if (entries === undefined) {
      const isDirectory = (Number(stat.mode) & S_IFMT) === S_IFDIR;
      refusal('landlock_add_rule', () => landlockAddPathRule(rulesetFd, accessForTarget(access, isDirectory), fd), rule);
    } else {
      refusal('landlock_add_rule', () => landlockAddEntryRules(rulesetFd, fd, entries.text, entries.identities, access, accessForTarget(access, false)), rule);
    }
    observe?.(rule, stat);
  } finally {
    close(fd);
  }
}

/** undefined: optional and not there. */
function openJudged(rule: PathRule): Opened | undefined {
  for (let look = 0; look < LOOKS; look++) {
    const fd = openGrant(rule);
    if (fd === undefined) return undefined;
    const stat = fstatSync(fd, { bigint: true });
    if (rule.judged === undefined || rule.judged === identityOf(stat)) return { fd, stat };
    close(fd);
    if (rule.judged === MISSING) break;
  }
  throw new Moved(showPath(rule.path));
}

/** undefined: optional and not there. */
function openGrant({ path, optional, from }: PathRule): number | undefined {
  try {
    return openat(AT_FDCWD, path, O_PATH);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (optional && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw new ConfigError([{ path: from, message: `${showPath(path)} cannot be granted (${error.code}).` }]);
  }
}

function refusal<T>(syscall: string, call: () => T, rule?: PathRule): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const what = rule === undefined ? '' : ` for ${rule.from} (${showPath(rule.path)})`;
    throw new ConfinementError('ERR_SANDLOCK_LANDLOCK', `The kernel refused a Landlock rule${what}: ${error.message}.`, {
      errno: error.errno, syscall, path: rule && showPath(rule.path), cause: error,
    });
  }
}
