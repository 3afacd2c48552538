/** The network part of a policy: which TCP ports may be connected to, and which bound. */
import { joinPortSets, type PortSet } from '../options/grammar/port-list.js';
import type { ParsedOptions } from '../options/option-table.js';

export interface NetPolicy {
  readonly connect: PortSet;
  readonly bind: PortSet;
  /** Nothing may be connected to or bound, and on this machine it is better not to have TCP sockets at all. */
  readonly noSockets?: true;
}

export function netPolicy({ netAllow = [], netAllowBind = [] }: ParsedOptions): NetPolicy {
  // Rules add up: one for every port makes the others superfluous.
  const connect: PortSet = netAllow.some((set) => set.kind === 'any') ? { kind: 'any' } : joinPortSets(netAllow);
  return { connect, bind: joinPortSets(netAllowBind) };
}

/**
 * The policy where nobody can look at a target's sockets. Then those that may listen have to be made by the supervisor,
 * which the target's other processes cannot reach by an abstract name; and if there is nothing to listen on but
 * UNIX sockets, that can be had in the kernel: no TCP socket, so no listen(2) to look at.
 */
export function withoutCopies(net: NetPolicy): NetPolicy {
  return allowsNothing(net.connect) && allowsNothing(net.bind) ? { ...net, noSockets: true } : net;
}

export function allowsNothing(set: PortSet): boolean {
  return set.kind === 'ports' && set.ports.length === 0;
}

/** Whether a socket may get a port of the kernel's choice, which listen(2) takes where none is bound. */
export function allowsAnyFreePort(set: PortSet): boolean {
  return set.kind === 'any' || set.ports.includes(0);
}
