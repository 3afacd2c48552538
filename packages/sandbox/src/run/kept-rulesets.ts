/**
 * Rulesets that are kept for the next start: a plan may have hundreds of rules, and restricts any number of processes.
 *
 * A kept one serves a plan that is the same, while its paths lead to the files that it was made with, and nothing was mounted or
 * unmounted. Files are told by device, inode and time of birth; where a file system keeps none, and for the entries
 * of a directory, by the time of change, which nobody can set. Where that is too new to tell the next change from
 * it, nothing is kept.
 * inode(7), landlock(7)
 */
import { close, KeptFd } from '@sandlock/sys';
import { fstatSync, statSync, type BigIntStats } from 'node:fs';

import type { LandlockPlan, PathRule } from '../landlock/landlock-plan.js';
import { isSettled } from '../landlock/listing.js';
import { mountTable, type MountTable } from '../landlock/mount-table.js';
import { createRuleset } from './ruleset.js';

/** Different plans that one process starts programs with, as a rule. Each takes a descriptor. */
const MAX_KEPT = 4;

interface Kept {
  readonly ruleset: KeptFd;
  readonly mounts: MountTable;
  /** Of each path rule what it holds for, as the descriptors say that the rules were made with. */
  readonly states: readonly string[];
}

/** By plan; the latest last. */
const kept = new Map<string, Kept>();

/**
 * @param use  is given a descriptor that is open until it returns
 * @returns what `use` returns
 * @throws as createRuleset(), and what `use` throws
 */
export function withRuleset<T>(plan: LandlockPlan, use: (rulesetFd: number) => T): T {
  const key = keyOf(plan);
  const mounts = mountTable();
  const last = kept.get(key);
  kept.delete(key);
  if (last !== undefined && last.mounts === mounts && leadsThere(plan, last.states)) {
    kept.set(key, last);
    return use(last.ruleset.fd);
  }
  last?.ruleset.close();
  const states: (string | undefined)[] = [];
  const fd = createRuleset(plan, (rule, opened) => states.push(opened === undefined ? MISSING : stateOf(rule, fstatSync(opened, { bigint: true }))));
  if (!states.every((state) => state !== undefined) || mountTable() !== mounts) return useOnce(fd, use);
  kept.set(key, { ruleset: new KeptFd(fd), mounts, states });
  dropOldest();
  return use(fd);
}

function useOnce<T>(rulesetFd: number, use: (rulesetFd: number) => T): T {
  try {
    return use(rulesetFd);
  } finally {
    close(rulesetFd);
  }
}

function dropOldest(): void {
  for (const [key, { ruleset }] of kept) {
    if (kept.size <= MAX_KEPT) return;
    kept.delete(key);
    ruleset.close();
  }
}

/** All that a ruleset is made of but the files. */
function keyOf({ handledFs, handledNet, scoped, pathRules, portRules }: LandlockPlan): string {
  return JSON.stringify([
    [handledFs, handledNet, scoped].map(String),
    portRules.map(({ port, access }) => [port, String(access)]),
    pathRules.map(({ path, access, optional, names }) => [text(path), String(access), optional, names === undefined ? null : text(names)]),
  ]);
}

const MISSING = 'missing';

function leadsThere({ pathRules }: LandlockPlan, states: readonly string[]): boolean {
  return pathRules.every((rule, i) => lookedAt(rule) === states[i]);
}

function lookedAt(rule: PathRule): string | undefined {
  try {
    const stat = statSync(Buffer.from(rule.path), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? MISSING : stateOf(rule, stat);
  } catch {
    return undefined; // a new ruleset says why
  }
}

/** undefined: one cannot tell whether it stays the same. */
function stateOf({ names }: PathRule, stat: BigIntStats): string | undefined {
  const byBirth = names === undefined && stat.birthtimeNs !== 0n;
  if (!byBirth && !isSettled(stat)) return undefined;
  return `${stat.dev} ${stat.ino} ${byBirth ? stat.birthtimeNs : stat.ctimeNs}`;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
