/**
 * Landlock. Access rights are bit masks as in include/uapi/linux/landlock.h; which of them a machine knows
 * follows from its ABI version. landlock(7).
 */
import { binding } from './binding.js';
import { check, SyscallError } from './errors.js';

const LANDLOCK_CREATE_RULESET_VERSION = 1;
const LANDLOCK_CREATE_RULESET_ERRATA = 2;

/** landlock_restrict_self(2): all threads of the process, not just the caller; ABI 8. */
export const LANDLOCK_RESTRICT_SELF_TSYNC = 8;

let abiVersion: number | undefined;

/** The ABI version, 1 or higher; 0 when the kernel has no Landlock or it is off. It stays while the kernel runs. @throws {SyscallError} otherwise */
export function landlockAbiVersion(): number {
  return (abiVersion ??= askAbiVersion());
}

function askAbiVersion(): number {
  const result = binding().landlockRulesetQuery(LANDLOCK_CREATE_RULESET_VERSION);
  if (result >= 0) return result;
  const error = new SyscallError('landlock_create_ruleset', result, 'LANDLOCK_CREATE_RULESET_VERSION');
  if (error.code === 'ENOSYS' || error.code === 'EOPNOTSUPP') return 0;
  throw error;
}

/** Bit n - 1 is set when erratum n is fixed; 0 where the kernel cannot say (before Linux 6.15). */
export function landlockErrata(): number {
  return Math.max(0, binding().landlockRulesetQuery(LANDLOCK_CREATE_RULESET_ERRATA));
}

/** A new ruleset. @returns a close-on-exec descriptor; the caller closes it @throws {SyscallError} EINVAL, ENOMSG */
export function landlockCreateRuleset(handledFs: bigint, handledNet: bigint, scoped: bigint): number {
  return check('landlock_create_ruleset', binding().landlockCreateRuleset(handledFs, handledNet, scoped));
}

/** Allows `access` beneath an open file or directory. @param parentFd `O_PATH` is enough @throws {SyscallError} */
export function landlockAddPathRule(rulesetFd: number, access: bigint, parentFd: number): void {
  check('landlock_add_rule', binding().landlockAddPathRule(rulesetFd, access, parentFd), 'LANDLOCK_RULE_PATH_BENEATH');
}

/**
 * Allows something beneath each of these entries of a directory. One that is not there, is a link, or has become another
 * file than it is said to be, is passed over.
 *
 * @param directoryFd  `O_PATH` is enough
 * @param names        with a NUL behind each
 * @param identities   device and inode of each
 * @param access       beneath a directory
 * @param fileAccess   of anything else
 * @throws {SyscallError} a rule was refused, or an entry could not be opened; EINVAL a name without identity
 */
export function landlockAddEntryRules(
  rulesetFd: number, directoryFd: number, names: Uint8Array, identities: BigUint64Array, access: bigint, fileAccess: bigint,
): void {
  check('landlock_add_rule', binding().landlockAddEntryRules(rulesetFd, directoryFd, names, identities, access, fileAccess), 'LANDLOCK_RULE_PATH_BENEATH');
}

/** Allows `access` (bind, connect) to a TCP port. @throws {SyscallError} EINVAL a port above 65535 */
export function landlockAddPortRule(rulesetFd: number, access: bigint, port: number): void {
  check('landlock_add_rule', binding().landlockAddPortRule(rulesetFd, access, BigInt(port)), 'LANDLOCK_RULE_NET_PORT');
}

/**
 * Confines every thread of this process, for good, and sets no_new_privs on each.
 *
 * From ABI 8 the kernel does it in one step. Before, each thread is made to do it itself; a failure half-way
 * leaves some confined and is thrown.
 *
 * @returns how many threads were confined; undefined when the kernel did it
 * @throws {SyscallError} E2BIG 16 rulesets already, ETIMEDOUT a thread that did not answer
 */
export function landlockRestrictAllThreads(rulesetFd: number, abi: number): number | undefined {
  if (abi >= 8) {
    check('prctl', binding().setNoNewPrivs(), 'PR_SET_NO_NEW_PRIVS');
    check('landlock_restrict_self', binding().landlockRestrictSelf(rulesetFd, LANDLOCK_RESTRICT_SELF_TSYNC));
    return undefined;
  }
  return check('landlock_restrict_self', binding().landlockRestrictAllThreads(rulesetFd, 0));
}
