/**
 * Rulesets that are kept for the next start: a plan may have hundreds of rules, and restricts any number of processes.
 *
 * A kept one serves a plan that is the same, on paths that lead to the same files. Those are told by device, inode and time
 * of birth; where a file system keeps none, and for the entries of a directory, by the time of change, which nobody can
 * set. Where that is too new to tell the next change from it, nothing is kept.
 * inode(7), landlock(7)
 */
import { close, KeptFd } from '@sandlock/sys';
import { statSync } from 'node:fs';

import type { LandlockPlan, PathRule } from '../landlock/landlock-plan.js';
import { isSettled } from '../landlock/listing.js';
import { createRuleset } from './ruleset.js';

/** Different plans that one process starts programs with, as a rule. Each takes a descriptor. */
const MAX_KEPT = 4;

/** The latest last. */
const kept = new Map<string, KeptFd>();

/**
 * @param use  is given a descriptor that is open until it returns
 * @returns what `use` returns
 * @throws as createRuleset(), and what `use` throws
 */
export function withRuleset<T>(plan: LandlockPlan, use: (rulesetFd: number) => T): T {
  // Before the ruleset is made: what changes after this look makes the next one differ.
  const key = keyOf(plan);
  if (key === undefined) return withOwnRuleset(plan, use);
  const owned = kept.get(key) ?? new KeptFd(createRuleset(plan));
  kept.delete(key);
  kept.set(key, owned);
  try {
    return use(owned.fd);
  } finally {
    dropOldest();
  }
}

function withOwnRuleset<T>(plan: LandlockPlan, use: (rulesetFd: number) => T): T {
  const fd = createRuleset(plan);
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

function dropOldest(): void {
  for (const [key, owned] of kept) {
    if (kept.size <= MAX_KEPT) return;
    kept.delete(key);
    owned.close();
  }
}

/** undefined: not to be kept. */
function keyOf({ handledFs, handledNet, scoped, pathRules, portRules }: LandlockPlan): string | undefined {
  const parts = [`${handledFs} ${handledNet} ${scoped}`, ...portRules.map(({ port, access }) => `${port} ${access}`)];
  for (const rule of pathRules) {
    const state = stateOf(rule);
    if (state === undefined) return undefined;
    parts.push(`${rule.access} ${state} ${text(rule.path)} ${rule.names === undefined ? '' : text(rule.names)}`);
  }
  return parts.join('\n');
}

/** undefined: one cannot tell whether it stays the same. */
function stateOf({ path, names }: PathRule): string | undefined {
  const stat = statSync(Buffer.from(path), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return 'missing';
  const byBirth = names === undefined && stat.birthtimeNs !== 0n;
  if (!byBirth && !isSettled(stat)) return undefined;
  return `${stat.dev} ${stat.ino} ${byBirth ? stat.birthtimeNs : stat.ctimeNs}`;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
