/** What becomes of each protection on a kernel. */
import { ConfinementError } from '../errors.js';
import type { Policy } from '../policy/policy.js';
import {
  PROTECTIONS, protectionFlagName, requiredAbi, type Protection, type ProtectionMode, type ProtectionStatus,
} from './protections.js';

export type ProtectionStatuses = Readonly<Record<Protection, ProtectionStatus>>;

/** One protection, for people and programs that ask. */
export interface ProtectionReport {
  readonly protection: Protection;
  readonly status: ProtectionStatus;
  readonly requiredAbi: number;
}

/** Never throws: 'unavailable' is an answer here. */
export function protectionStatuses(modes: Policy['protections'], abi: number): ProtectionStatuses {
  return Object.freeze(Object.fromEntries(PROTECTIONS.map((protection) =>
    [protection, statusOf(modes[protection], abi >= requiredAbi(protection))])) as Record<Protection, ProtectionStatus>);
}

function statusOf(mode: ProtectionMode, available: boolean): ProtectionStatus {
  if (mode === 'disabled') return 'disabled';
  if (available) return 'active';
  return mode === 'degradable' ? 'degraded' : 'unavailable';
}

/** All six, in their order. */
export function protectionReports(statuses: ProtectionStatuses): ProtectionReport[] {
  return PROTECTIONS.map((protection) => ({
    protection, status: statuses[protection], requiredAbi: requiredAbi(protection),
  }));
}

/** @throws {ConfinementError} ERR_SANDLOCK_PROTECTION_UNAVAILABLE, its fields those of the first one missing */
export function refuseUnavailable(statuses: ProtectionStatuses, abi: number): void {
  const missing = PROTECTIONS.filter((protection) => statuses[protection] === 'unavailable');
  const first = missing[0];
  if (first === undefined) return;
  const names = missing.map((protection) => `${protection} (requires v${requiredAbi(protection)})`).join(', ');
  throw new ConfinementError('ERR_SANDLOCK_PROTECTION_UNAVAILABLE',
    `${missing.length === 1 ? 'Required protection' : 'Required protections'} not available: ${names}; host Landlock ABI is `
    + `v${abi}. To do without, allow it: ${missing.map((protection) => `allowDegraded ${protectionFlagName(protection)}`).join(', ')}.`,
    { protection: first, requiredAbi: requiredAbi(first), hostAbi: abi });
}
