/** TCP rules that nothing would enforce, because Landlock's TCP rights are disabled. */
import type { ConfigIssue } from '../errors.js';
import { unenforcedTcp } from '../landlock/tcp-enforcement.js';
import { netPolicy } from '../policy/net-policy.js';
import type { ParsedOptions } from './option-table.js';

export function tcpIssues(options: ParsedOptions): ConfigIssue[] {
  if (!(options.disable ?? []).includes('netTcp') || hasMixture(options)) return [];
  const reason = unenforcedTcp(netPolicy(options));
  return reason === undefined ? [] : [{ path: 'disable', message: reason }];
}

/** "*" with ports: an issue of its own, and no policy can be made of it. */
function hasMixture({ netAllowBind = [] }: ParsedOptions): boolean {
  return netAllowBind.some(({ kind }) => kind === 'any') && netAllowBind.some(({ kind }) => kind === 'ports');
}
