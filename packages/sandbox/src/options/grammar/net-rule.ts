/**
 * Net rules: `[scheme://]target[:ports]`.
 *
 * The whole language is read here, so that a rule with a mistake is told from one that is right but cannot be
 * enforced yet. Without a scheme a rule means TCP and UDP; the target is a host name, an address, a CIDR
 * block, or `*` or nothing for any; ports are a comma list or `*`, and all of them when left out.
 */
import { isIPv4, isIPv6 } from 'node:net';

import { GrammarError, show } from './grammar-error.js';
import { parsePort, type PortSet } from './port-list.js';

export interface NetRule {
  /** As written; undefined stands for TCP and UDP. */
  readonly scheme: 'tcp' | 'udp' | 'icmp' | undefined;
  readonly target:
    | { readonly kind: 'any' }
    | { readonly kind: 'host'; readonly name: string }
    | { readonly kind: 'address'; readonly family: 4 | 6; readonly address: string; readonly prefix: number };
  readonly ports: PortSet;
}

/** @throws {GrammarError} */
export function parseNetRule(value: unknown): NetRule {
  if (typeof value !== 'string') throw new GrammarError(`A net rule is text, not ${show(value)}.`, 'For example ":443" or "tcp://*:8080".');
  if (value === '') throw new GrammarError('The rule is empty.', 'Write "*" for any address and port.');
  const { scheme, rest } = splitScheme(value);
  const { target, ports } = splitPorts(rest, value);
  if (scheme === 'icmp' && ports !== undefined) throw new GrammarError(`${show(value)} names a port, and ICMP has none.`);
  return { scheme, target: parseTarget(target, value), ports: ports === undefined ? { kind: 'any' } : parseRulePorts(ports, value) };
}

function splitScheme(value: string): { scheme: NetRule['scheme']; rest: string } {
  const end = value.indexOf('://');
  if (end < 0) return { scheme: undefined, rest: value };
  const scheme = value.slice(0, end);
  if (scheme !== 'tcp' && scheme !== 'udp' && scheme !== 'icmp') {
    throw new GrammarError(`${show(value)} has the unknown scheme ${show(scheme)}.`, 'Schemes are tcp://, udp:// and icmp://.');
  }
  const rest = value.slice(end + 3);
  if (rest === '') throw new GrammarError(`${show(value)} has no target.`, `Write "${scheme}://*" for any address.`);
  return { scheme, rest };
}

/** Where the ports begin: an IPv6 address has colons of its own, so with ports it stands in brackets. */
function splitPorts(rest: string, value: string): { target: string; ports: string | undefined } {
  if (rest.startsWith('[')) {
    const match = /^\[([^[\]]*)\](?::(.*))?$/.exec(rest);
    if (match === null || !isIPv6(match[1]!.split('/')[0]!)) {
      throw new GrammarError(`${show(value)} has malformed brackets.`, 'Write [::1]:443 or [fc00::/7]:443.');
    }
    return { target: match[1]!, ports: match[2] };
  }
  if (/[[\]]/.test(rest)) throw new GrammarError(`${show(value)} has malformed brackets.`, 'Write [::1]:443.');
  const first = rest.indexOf(':');
  if (first < 0 || rest.indexOf(':', first + 1) >= 0) return { target: rest, ports: undefined };
  return { target: rest.slice(0, first), ports: rest.slice(first + 1) };
}

function parseRulePorts(text: string, value: string): PortSet {
  if (text === '*') return { kind: 'any' };
  const ports = new Set<number>();
  for (const element of text.split(',')) {
    if (element === '') throw new GrammarError(`The port list of ${show(value)} has an empty element.`);
    if (element === '*') throw new GrammarError(`${show(value)} mixes "*" with ports.`, 'Give one of the two.');
    const port = parsePort(element);
    if (port === 0) throw new GrammarError(`${show(value)} names port 0, and nothing can be reached there.`);
    ports.add(port);
  }
  return { kind: 'ports', ports: [...ports].sort((a, b) => a - b) };
}

function parseTarget(text: string, value: string): NetRule['target'] {
  if (text === '' || text === '*') return { kind: 'any' };
  const [address, prefix, more] = text.split('/') as [string, string?, string?];
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined;
  if (family !== undefined && more === undefined) {
    return { kind: 'address', family, address, prefix: parsePrefix(prefix, family === 4 ? 32 : 128, value) };
  }
  if (text.includes('*')) {
    throw new GrammarError(`${show(value)} has a wildcard inside a name, which is not supported.`, 'Name each host.');
  }
  const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
  // All digits and dots is an address with a mistake, never a name.
  if (text.length > 253 || /^[\d.]+$/.test(text) || !new RegExp(`^${label}(?:\\.${label})*\\.?$`).test(text)) {
    throw new GrammarError(`${show(text)} in ${show(value)} is no address, CIDR block or host name.`);
  }
  return { kind: 'host', name: text.toLowerCase() };
}

function parsePrefix(text: string | undefined, max: number, value: string): number {
  if (text === undefined) return max;
  const prefix = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (prefix <= max) return prefix;
  throw new GrammarError(`${show(value)} has a bad prefix length.`, `It is a number from 0 to ${max}.`);
}
