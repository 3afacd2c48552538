/** The families whose place the filter takes, by refusing, where they are not registered. */
import { tcpEnforcement } from '../landlock/tcp-enforcement.js';
import type { ProtectionStatuses } from '../landlock/protection-status.js';
import type { Policy } from '../policy/policy.js';
import type { FamilyName } from './call-rules.js';
import { needsListenGate } from './socket-calls.js';

/** Those that a run of this policy should register. None without a supervisor, where refusing is all there is. */
export function requiredFamilies(policy: Policy, protections: ProtectionStatuses): FamilyName[] {
  if (!policy.supervised) return [];
  const tcp = tcpEnforcement(policy.net, protections.netTcp === 'active');
  return tcp !== undefined && needsListenGate(policy.net, tcp) ? ['processes', 'listen'] : ['processes'];
}
