/**
 * The calls that no program of a policy gets, whatever their arguments: those on the list, and those that a rule on arguments
 * refuses in every form, as connect(2) where there is nothing to connect to.
 *
 * A handler for one of them would never be asked, or lift the denial.
 */
import { syscallNumber } from '@sandlock/bpf';

import type { ProtectionStatuses } from '../landlock/protection-status.js';
import type { Policy } from '../policy/policy.js';
import { argumentRules } from './argument-rules.js';

export function refusedCalls(policy: Policy, protections: ProtectionStatuses): ReadonlySet<number> {
  const refused = new Set(policy.deniedSyscalls);
  for (const [name, { deny = [] }] of Object.entries(argumentRules(policy, protections))) {
    const nr = syscallNumber(policy.arch, name);
    if (nr !== undefined && deny.some(({ when }) => when.length === 0)) refused.add(nr);
  }
  return refused;
}
