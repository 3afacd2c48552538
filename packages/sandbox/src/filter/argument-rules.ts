/** Every rule on arguments that a policy gives rise to, by call. */
import type { ProtectionStatuses } from '../landlock/protection-status.js';
import { tcpEnforcement, type TcpEnforcement } from '../landlock/tcp-enforcement.js';
import type { Policy } from '../policy/policy.js';
import type { RulesByCall } from './call-rules.js';
import { cloneRules } from './clone-flags.js';
import { deviceNodeRules } from './device-nodes.js';
import { ioctlRules } from './ioctl-requests.js';
import { otherProcessRules } from './other-process-calls.js';
import { ownListenerRules } from './own-listener.js';
import { prctlRules } from './prctl-options.js';
import { signalEveryoneRules } from './signal-everyone.js';
import { socketRules } from './socket-calls.js';

export function argumentRules(policy: Policy, protections: ProtectionStatuses): RulesByCall {
  return {
    ...cloneRules,
    ...ioctlRules(policy),
    ...prctlRules,
    ...socketRules(policy.net, enforcement(policy, protections), policy.fs.writable.length > 0),
    ...deviceNodeRules,
    ...(policy.supervised ? ownListenerRules : {}),
    ...otherProcessRules,
    ...affinityRules(policy),
    ...(protections.signalScope === 'active' ? {} : signalEveryoneRules),
  };
}

/** Where nobody cuts a mask down to the granted cores, none can be set. */
function affinityRules({ supervised, cpuCores }: Policy): RulesByCall {
  return supervised || cpuCores === null ? {} : { sched_setaffinity: { deny: [{ when: [], errno: 'EPERM' }] } };
}

/** Rules that nobody enforces were refused by the Landlock plan; should they get here, there is no TCP. */
function enforcement(policy: Policy, protections: ProtectionStatuses): TcpEnforcement {
  return tcpEnforcement(policy.net, protections.netTcp === 'active') ?? 'noSockets';
}
