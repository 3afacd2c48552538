/** The network part of a policy: which TCP ports may be connected to, and which bound. */
import { joinPortSets, type PortSet } from '../options/grammar/port-list.js';
import type { ParsedOptions } from '../options/option-table.js';

export interface NetPolicy {
  readonly connect: PortSet;
  readonly bind: PortSet;
}

export function netPolicy({ netAllow = [], netAllowBind = [] }: ParsedOptions): NetPolicy {
  // Rules add up: one for every port makes the others superfluous.
  const connect: PortSet = netAllow.some((set) => set.kind === 'any') ? { kind: 'any' } : joinPortSets(netAllow);
  return { connect, bind: joinPortSets(netAllowBind) };
}

export function allowsNothing(set: PortSet): boolean {
  return set.kind === 'ports' && set.ports.length === 0;
}

/** Whether a socket may get a port of the kernel's choice, which listen(2) takes where none is bound. */
export function allowsAnyFreePort(set: PortSet): boolean {
  return set.kind === 'any' || set.ports.includes(0);
}
