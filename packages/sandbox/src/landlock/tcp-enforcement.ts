/**
 * Who enforces the TCP rules, and with what: the one place that decides it.
 *
 * Landlock does where the kernel has its TCP rights. Where it has not, or they are disabled, no rules at all
 * must not come to mean everything: then the filter refuses TCP sockets. Rules that name ports would be
 * enforced by nobody, so they are refused.
 */
import { allowsNothing, type NetPolicy } from '../policy/net-policy.js';

export type TcpEnforcement =
  /** Landlock judges connect and bind by port. */
  | 'landlock'
  /** The filter refuses to create TCP sockets: nothing is allowed, and Landlock cannot say so, or not of listen(2). */
  | 'noSockets'
  /** Everything is allowed. */
  | 'open';

/**
 * @param netTcp whether Landlock's TCP rights are active
 * @returns undefined where nothing enforces the rules; unenforcedTcp() says so in words
 */
export function tcpEnforcement(net: NetPolicy, netTcp: boolean): TcpEnforcement | undefined {
  if (net.noSockets) return 'noSockets';
  if (netTcp) return 'landlock';
  if (allowsNothing(net.connect) && allowsNothing(net.bind)) return 'noSockets';
  return net.connect.kind === 'any' && net.bind.kind === 'any' ? 'open' : undefined;
}

/** Why these rules need Landlock's TCP rights, or undefined where they do not. */
export function unenforcedTcp(net: NetPolicy): string | undefined {
  if (tcpEnforcement(net, false) !== undefined) return undefined;
  return 'Without netTcp nothing enforces the ports of netAllow and netAllowBind. Leave both empty to have no TCP at all, '
    + 'or allow every port with netAllow "*:*" and netAllowBind "*".';
}
