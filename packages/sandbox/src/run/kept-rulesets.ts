/**
 * Rulesets that are kept for the next start: a plan may have hundreds of rules, and restricts any number of processes.
 *
 * A kept one serves a plan that is the same, while its paths lead to the files that it was made with, and nothing was mounted or
 * unmounted. Files are told by device, inode and time of birth; where a file system keeps none, and for the entries
 * of a directory, by the time of change, which nobody can set. Where that is too new to tell the next change from
 * it, nothing is kept.
 * inode(7), landlock(7)
 */
import { KeptFd } from '@sandlock/sys';
import { statSync, type BigIntStats } from 'node:fs';

import { MISSING } from '../landlock/identities.js';
import type { LandlockPlan, PathRule } from '../landlock/landlock-plan.js';
import { isSettled } from '../landlock/listing.js';
import { mountTable, type MountTable } from '../landlock/mount-table.js';
import { pathText } from '../policy/path-text.js';
import { createRuleset } from './ruleset.js';

/** Different plans that one process starts programs with, as a rule. Each takes a descriptor. */
const MAX_KEPT = 4;

interface Kept {
  readonly ruleset: SharedRuleset;
  readonly mounts: MountTable;
  /** Of each path rule what it holds for, as the descriptors say that the rules were made with. */
  readonly states: readonly string[];
}

/** By plan; the latest last. */
const kept = new Map<string, Kept>();

/** A ruleset of the kernel that is open while anybody has it: whoever keeps it, and each start that is being made with it. */
class SharedRuleset {
  readonly #fd: KeptFd;
  #holders = 0;

  constructor(fd: number) {
    this.#fd = new KeptFd(fd);
  }

  get fd(): number {
    return this.#fd.fd;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  drop(): void {
    if (--this.#holders === 0) this.#fd.close();
  }
}

/** The ruleset of one start. While that is being made, others may be, and may push it out of what is kept. */
export class LeasedRuleset {
  #shared: SharedRuleset | undefined;

  /** Open until {@link release}. */
  get fd(): number {
    if (this.#shared === undefined) throw new Error('No ruleset was taken, or it was released.');
    return this.#shared.fd;
  }

  /** Once. @throws as createRuleset() */
  take(plan: LandlockPlan): void {
    this.#shared = rulesetFor(plan).hold();
  }

  /** The same for a plan whose paths are known to lead where they led, if its ruleset is still kept. */
  takeKept(plan: LandlockPlan): boolean {
    const key = keyOf(plan);
    const last = kept.get(key);
    if (last?.mounts !== mountTable()) return false;
    kept.delete(key);
    kept.set(key, last); // the latest
    this.#shared = last.ruleset.hold();
    return true;
  }

  release(): void {
    this.#shared?.drop();
    this.#shared = undefined;
  }
}

function rulesetFor(plan: LandlockPlan): SharedRuleset {
  const key = keyOf(plan);
  const mounts = mountTable();
  const last = kept.get(key);
  kept.delete(key);
  if (last !== undefined && last.mounts === mounts && leadsThere(plan, last.states)) {
    kept.set(key, last);
    return last.ruleset;
  }
  last?.ruleset.drop();
  const states: (string | undefined)[] = [];
  const made = new SharedRuleset(createRuleset(plan, (rule, stat) => states.push(stat === undefined ? MISSING : stateOf(rule, stat))));
  if (!states.every((state) => state !== undefined) || mountTable() !== mounts) return made;
  kept.set(key, { ruleset: made.hold(), mounts, states });
  dropOldest();
  return made;
}

function dropOldest(): void {
  for (const [key, { ruleset }] of kept) {
    if (kept.size <= MAX_KEPT) return;
    kept.delete(key);
    ruleset.drop();
  }
}

const keys = new WeakMap<LandlockPlan, string>();

function keyOf(plan: LandlockPlan): string {
  const key = keys.get(plan) ?? textOf(plan);
  keys.set(plan, key);
  return key;
}

/** All that a ruleset is made of but the files. */
function textOf({ handledFs, handledNet, scoped, pathRules, portRules }: LandlockPlan): string {
  return JSON.stringify([
    [handledFs, handledNet, scoped].map(String),
    portRules.map(({ port, access }) => [port, String(access)]),
    pathRules.map(({ path, access, optional, judged, entries }) => [pathText(path), String(access), optional, judged ?? null, entries?.key ?? null]),
  ]);
}

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
function stateOf({ entries }: PathRule, stat: BigIntStats): string | undefined {
  const byBirth = entries === undefined && stat.birthtimeNs !== 0n;
  if (!byBirth && !isSettled(stat)) return undefined;
  return `${stat.dev} ${stat.ino} ${byBirth ? stat.birthtimeNs : stat.ctimeNs}`;
}
