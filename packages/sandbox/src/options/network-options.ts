/**
 * Options on the network, as far as the kernel enforces them alone: TCP by port.
 *
 * A rule that needs to know the other side's address needs a supervisor that connects on the program's behalf.
 * Until there is one such rules are refused, never weakened to their port.
 */
import { GrammarError, show } from './grammar/grammar-error.js';
import { parseNetRule } from './grammar/net-rule.js';
import { parsePortItemOrAny, writePortItems, type PortSet } from './grammar/port-list.js';
import { list, option } from './option.js';

const ports = 'Give ports only, as in ":443", "tcp://*:443" or "*:*".';

function parsePortRule(value: unknown): PortSet {
  const rule = parseNetRule(value);
  const refuse = (what: string): never => {
    throw new GrammarError(`The rule ${show(value)} is not available yet: ${what}.`, ports);
  };
  if (rule.scheme === 'udp') refuse('UDP cannot be allowed');
  if (rule.scheme === 'icmp') refuse('ICMP cannot be allowed');
  if (rule.target.kind === 'host') refuse('rules cannot name a host');
  if (rule.target.kind === 'address') refuse('rules cannot name an address');
  return rule.ports;
}

/** With its scheme: only TCP is enforced, and the rule must not come to mean more. */
function writePortRule(ports: PortSet): string {
  return ports.kind === 'any' ? 'tcp://*' : `tcp://*:${ports.ports.join(',')}`;
}

export const networkOptions = {
  netAllow: option({
    schema: list<string, PortSet>(parsePortRule),
    type: 'string[]',
    default: '[]',
    flags: [{ long: 'net-allow', placeholder: 'SPEC', repeatable: true }],
    profile: { section: 'network', key: 'allow', write: (rules) => rules.map(writePortRule) },
    summary: 'let TCP connections be made to a port, as in :443, or to all with *:*',
    docs: `Which TCP ports may be connected to, on any address: \`:443\`, \`tcp://*:80,443\`, \`*:*\` for every port. Rules add
up; an empty list refuses every connection with EACCES.

Rules for a host, an address, UDP or ICMP are not available yet and refused as such. UDP, ICMP and raw sockets cannot be
created at all, so of a rule without a scheme, which stands for TCP and UDP, the TCP half is what counts. TCP Fast Open
is refused with EOPNOTSUPP unless every port is allowed, because it connects past Landlock; so are upper layer protocols on
TCP sockets (TCP_ULP), with ENOENT.`,
    noSupervisor: true,
  }),
  netAllowBind: option({
    schema: list<string | number, PortSet>(parsePortItemOrAny),
    type: '(number | string)[]',
    default: '[]',
    flags: [{ long: 'net-allow-bind', placeholder: 'PORTS', repeatable: true }],
    profile: { section: 'network', key: 'allow_bind', write: (sets) => sets.flatMap(writePortItems) },
    summary: 'let TCP ports be bound, as in 8080 or 9000-9005, or all with *',
    docs: `Which TCP ports may be bound and listened on: numbers, ranges such as \`9000-9005\`, comma lists, or \`*\` alone for
all. Port 0 stands for a port of the kernel's choice. An empty list refuses every bind with EACCES.

listen(2) on a socket that was never bound takes a port of the kernel's choice without asking Landlock. So unless port 0
or \`*\` is allowed, listen is answered by the supervisor, and without one (\`noSupervisor\`) ports other than those two are
refused.`,
    noSupervisor: true,
  }),
};
