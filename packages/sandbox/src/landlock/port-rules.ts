/**
 * TCP rules: the rights that the ruleset handles, and one rule a port.
 *
 * A right for every port is left unhandled; there is no rule for all of them. Both come from here, since a
 * right that is handled without its rules denies, and rules for a right that is not handled are EINVAL.
 */
import type { NetPolicy } from '../policy/net-policy.js';
import { LANDLOCK_ACCESS_NET_BIND_TCP, LANDLOCK_ACCESS_NET_CONNECT_TCP } from './access-rights.js';

export interface PortRule {
  readonly port: number;
  readonly access: bigint;
}

export interface PortRules {
  readonly handledNet: bigint;
  /** Ascending, one a port. */
  readonly portRules: readonly PortRule[];
}

export const NO_PORT_RULES: PortRules = { handledNet: 0n, portRules: [] };

export function portRules({ connect, bind }: NetPolicy): PortRules {
  let handledNet = 0n;
  const access = new Map<number, bigint>();
  for (const [set, right] of [[connect, LANDLOCK_ACCESS_NET_CONNECT_TCP], [bind, LANDLOCK_ACCESS_NET_BIND_TCP]] as const) {
    if (set.kind === 'any') continue;
    handledNet |= right;
    for (const port of set.ports) access.set(port, (access.get(port) ?? 0n) | right);
  }
  const ports = [...access.keys()].sort((a, b) => a - b);
  return { handledNet, portRules: ports.map((port) => ({ port, access: access.get(port)! })) };
}
