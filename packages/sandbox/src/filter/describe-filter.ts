/**
 * The filter of a run, as a description for the compiler.
 *
 * Three sources become one list of rules a call: what is denied whatever the arguments, what is decided by
 * arguments, and what the table wants to be told of. Denials stand first, so that a mistake fails closed, and a
 * notification that could never come is an error, not a handler that silently never runs.
 */
import {
  allow, errno, killProcess, syscallName, syscallNumber, userNotif,
  type Action, type ArgCondition, type FilterDescription, type Rule,
} from '@sandlock/bpf';

import { ConfigError, type ConfigIssue } from '../errors.js';
import type { ProtectionStatuses } from '../landlock/protection-status.js';
import type { Policy } from '../policy/policy.js';
import { argumentRules } from './argument-rules.js';
import type { CallRules, Denial } from './call-rules.js';
import { denialErrno } from './denied-syscalls.js';

/** By number: when the supervisor wants to be asked, any of these lists. An empty list of conditions: always. */
export type NotifiedCalls = ReadonlyMap<number, readonly (readonly ArgCondition[])[]>;

export interface FilterContext {
  /** What Landlock enforces here, from the Landlock plan: where it does not, the filter does more. */
  readonly protections: ProtectionStatuses;
  /** Names of the families that are registered. Only those replace a refusal of the filter. */
  readonly families: Iterable<string>;
}

/**
 * @throws {ConfigError} a call is to be notified and denied whatever its arguments; names each
 */
export function describeFilter(policy: Policy, notified: NotifiedCalls, context: FilterContext): FilterDescription {
  const families = new Set(context.families);
  const rulesByNumber = new Map<number, CallRules>();
  for (const nr of policy.deniedSyscalls) {
    rulesByNumber.set(nr, { deny: [{ when: [], errno: denialErrno(policy.arch, nr) }] });
  }
  for (const [name, rules] of Object.entries(argumentRules(policy, context.protections))) {
    const nr = syscallNumber(policy.arch, name);
    // Denied whatever its arguments: nothing is left to judge.
    if (nr !== undefined && !rulesByNumber.has(nr)) rulesByNumber.set(nr, withoutFamily(rules, families));
  }
  refuseOverlap(policy, rulesByNumber, notified);
  const numbers = new Set([...rulesByNumber.keys(), ...notified.keys()]);
  return {
    defaultAction: allow(),
    // 32-bit code under a 64-bit kernel: its numbers mean other calls, so no rule here would fit.
    badArchAction: killProcess(),
    architectures: [{
      arch: policy.arch,
      ...(policy.arch === 'x86_64' ? { x32Action: errno('ENOSYS') } : {}),
      rules: [...numbers].sort((a, b) => a - b)
        .flatMap((nr) => rulesOfCall(nr, rulesByNumber.get(nr) ?? {}, unconditionalOnce(notified.get(nr) ?? []))),
    }],
  };
}

/** A table's registrations in the form that describeFilter() takes. */
export function notifiedCalls(
  registrations: Iterable<{ readonly nr: number; readonly when: readonly (readonly ArgCondition[])[] | undefined }>,
): NotifiedCalls {
  return new Map(Array.from(registrations, ({ nr, when }) => [nr, when ?? [[]]]));
}

/** A refusal that would give way to a family joins the denials where there is no such family. */
function withoutFamily({ unless, ...rules }: CallRules, families: ReadonlySet<string>): CallRules {
  if (unless === undefined) return rules;
  if (families.has(unless.family)) return { ...rules, unless };
  return { ...rules, deny: [...(rules.deny ?? []), ...unless.deny] };
}

function refuseOverlap(policy: Policy, rulesByNumber: ReadonlyMap<number, CallRules>, notified: NotifiedCalls): void {
  const issues: ConfigIssue[] = [];
  for (const [nr, when] of notified) {
    if (when.length === 0) continue;
    const name = syscallName(policy.arch, nr) ?? `system call ${nr}`;
    if (!policy.supervised) {
      issues.push({ path: 'noSupervisor', message: `A handler is registered for ${name}, and without a supervisor nobody would run it.` });
    } else if (rulesByNumber.get(nr)?.deny?.some((denial) => denial.when.length === 0) === true) {
      issues.push({
        path: 'handlers', message: `A handler is registered for ${name}, which is denied whatever its arguments.`,
        hint: 'Drop the handler, or deny less: extraDenySyscalls adds to the list, and without fsWritable and netAllow some calls have no use.',
      });
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

/** With one list that always holds, the others decide nothing, and rules behind it would be a conflict. */
function unconditionalOnce(when: readonly (readonly ArgCondition[])[]): readonly (readonly ArgCondition[])[] {
  return when.some((conditions) => conditions.length === 0) ? [[]] : when;
}

function rulesOfCall(nr: number, { deny = [], only, unless }: CallRules, notified: readonly (readonly ArgCondition[])[]): Rule[] {
  const rules: Rule[] = [];
  const add = (when: readonly ArgCondition[], action: Action): void => {
    // Behind a rule that always holds nothing is ever reached, and the compiler takes it for a mistake.
    if (rules.some((rule) => rule.when?.length === 0)) return;
    rules.push({ syscall: nr, when, action });
  };
  const addDenials = (denials: readonly Denial[]): void => {
    for (const denial of denials) add(denial.when, errno(denial.errno));
  };
  addDenials(deny);
  if (only === undefined) {
    for (const when of notified) add(when, userNotif());
  } else {
    for (const form of only.forms) {
      for (const when of notified) add([...form, ...when], userNotif());
      // A form that is always notified is decided; the same conditions again would never hold.
      if (!notified.some((when) => when.length === 0)) add(form, allow());
    }
    add([], errno(only.otherwise));
  }
  addDenials(unless?.deny ?? []);
  return rules;
}
