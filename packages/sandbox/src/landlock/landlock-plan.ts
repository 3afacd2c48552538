/**
 * The Landlock plan: a policy as the ruleset of one ABI version.
 *
 * Plain data, made before any process exists. Whoever applies it opens each path with O_PATH, cuts the access
 * down by accessForTarget() and adds the rule; everything else is decided here. Rights whose protection is not
 * active never reach the kernel.
 */
import { ConfinementError } from '../errors.js';
import type { Policy, PolicyGrant } from '../policy/policy.js';
import {
  ENTRY_RIGHTS, knownFsRights, LANDLOCK_ACCESS_FS_IOCTL_DEV, LANDLOCK_ACCESS_FS_REFER, LANDLOCK_ACCESS_FS_TRUNCATE,
  LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL, READ_RIGHTS,
} from './access-rights.js';
import type { JudgedEntries } from './judged-entries.js';
import { NO_PORT_RULES, portRules, type PortRule } from './port-rules.js';
import { protectionStatuses, refuseUnavailable, type ProtectionStatuses } from './protection-status.js';
import { tcpEnforcement, unenforcedTcp, type TcpEnforcement } from './tcp-enforcement.js';

export interface LandlockPlan {
  readonly abi: number;
  readonly handledFs: bigint;
  readonly handledNet: bigint;
  readonly scoped: bigint;
  readonly pathRules: readonly PathRule[];
  readonly portRules: readonly PortRule[];
  /** None is 'unavailable': that would have thrown. */
  readonly statuses: ProtectionStatuses;
  /** What the filter has to do about TCP. */
  readonly tcp: TcpEnforcement;
}

export interface PathRule {
  readonly path: Uint8Array;
  /** For a directory. See accessForTarget(). */
  readonly access: bigint;
  readonly optional: boolean;
  /** For errors: `fsReadable[1]`. */
  readonly from: string;
  /** A rule for each of these entries of the directory, and none for itself. */
  readonly entries?: JudgedEntries | undefined;
  /** What `path` leads to, from identityOf(), or MISSING; left out: whatever it is. */
  readonly judged?: string | undefined;
}

export interface LandlockPlanOptions {
  /** false: leave the network alone, as confine() does. Default true. */
  readonly network?: boolean;
}

/** A grant, or of a directory some entries. */
export interface LandlockGrant extends PolicyGrant {
  readonly entries?: JudgedEntries;
  /** As in PathRule. */
  readonly judged?: string;
  /** Nothing is moved out of it, nor out of anything beneath, into another directory. */
  readonly holding?: boolean;
}

export interface LandlockGrants {
  readonly readable: readonly LandlockGrant[];
  readonly writable: readonly LandlockGrant[];
  /** Directories whose entries may be made and removed, and no more. */
  readonly entries?: readonly LandlockGrant[];
}

/**
 * @param abi what landlock_create_ruleset(2) reports; 0 or less where there is no Landlock
 * @throws {ConfinementError} ERR_SANDLOCK_LANDLOCK_UNAVAILABLE, ERR_SANDLOCK_PROTECTION_UNAVAILABLE
 */
export function landlockPlan(
  policy: Pick<Policy, 'net' | 'protections'> & { readonly fs: LandlockGrants }, abi: number, { network = true }: LandlockPlanOptions = {},
): LandlockPlan {
  refuseWithout(abi);
  const statuses = protectionStatuses(policy.protections, abi);
  refuseUnavailable(statuses, abi);
  const handledFs = handledFsRights(abi, statuses);
  const tcp = network ? enforceTcp(policy, statuses, abi) : 'open';
  const writable = policy.fs.writable.map((grant) => pathRule(grant, handledFs));
  const readable = policy.fs.readable.map((grant) => pathRule(grant, READ_RIGHTS & handledFs));
  const entries = (policy.fs.entries ?? []).map((grant) => pathRule(grant, (grant.holding ? ENTRY_RIGHTS & ~LANDLOCK_ACCESS_FS_REFER : ENTRY_RIGHTS) & handledFs));
  return Object.freeze({
    abi,
    handledFs,
    // Sockets that were handed in are judged also where none can be made.
    ...(network && tcp !== 'open' && statuses.netTcp === 'active' ? portRules(policy.net) : NO_PORT_RULES),
    scoped: (statuses.abstractUnixSocketScope === 'active' ? LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET : 0n)
      | (statuses.signalScope === 'active' ? LANDLOCK_SCOPE_SIGNAL : 0n),
    pathRules: Object.freeze([...writable, ...readable, ...entries]),
    statuses,
    tcp,
  });
}

function refuseWithout(abi: number): void {
  if (Number.isInteger(abi) && abi >= 1) return;
  throw new ConfinementError('ERR_SANDLOCK_LANDLOCK_UNAVAILABLE',
    'This kernel has no Landlock, or it is switched off. Use Linux 5.13 or later, better 6.12, with "landlock" in the list of '
    + 'security modules (/sys/kernel/security/lsm, or lsm= on the kernel\'s command line).', { hostAbi: abi });
}

function handledFsRights(abi: number, statuses: ProtectionStatuses): bigint {
  let rights = knownFsRights(abi);
  if (statuses.fsRefer !== 'active') rights &= ~LANDLOCK_ACCESS_FS_REFER;
  if (statuses.fsTruncate !== 'active') rights &= ~LANDLOCK_ACCESS_FS_TRUNCATE;
  if (statuses.fsIoctlDev !== 'active') rights &= ~LANDLOCK_ACCESS_FS_IOCTL_DEV;
  return rights;
}

/** Writing includes reading, so a writable path gets every right that is handled. */
function pathRule({ path, optional, from, entries, judged }: LandlockGrant, access: bigint): PathRule {
  return Object.freeze({ path, access, optional, from, judged, entries });
}

function enforceTcp({ net }: Pick<Policy, 'net'>, statuses: ProtectionStatuses, abi: number): TcpEnforcement {
  const tcp = tcpEnforcement(net, statuses.netTcp === 'active');
  if (tcp !== undefined) return tcp;
  // Doing without netTcp was allowed, but leaving rules for ports to nobody would turn them into "everything".
  throw new ConfinementError('ERR_SANDLOCK_PROTECTION_UNAVAILABLE',
    `netTcp is ${statuses.netTcp} (requires v4; host Landlock ABI is v${abi}). ${unenforcedTcp(net)}`,
    { protection: 'netTcp', requiredAbi: 4, hostAbi: abi });
}
