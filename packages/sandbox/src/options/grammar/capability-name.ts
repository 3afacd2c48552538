/**
 * Names of capabilities: `CAP_NET_BIND_SERVICE`, with or without CAP_, in any case.
 *
 * In the order of their numbers. include/uapi/linux/capability.h of Linux 6.18.
 */
import { nearestName } from '../nearest-name.js';
import { GrammarError, show } from './grammar-error.js';

export const CAPABILITIES = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID',
  'CAP_SETUID', 'CAP_SETPCAP', 'CAP_LINUX_IMMUTABLE', 'CAP_NET_BIND_SERVICE', 'CAP_NET_BROADCAST', 'CAP_NET_ADMIN',
  'CAP_NET_RAW', 'CAP_IPC_LOCK', 'CAP_IPC_OWNER', 'CAP_SYS_MODULE', 'CAP_SYS_RAWIO', 'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE', 'CAP_SYS_PACCT', 'CAP_SYS_ADMIN', 'CAP_SYS_BOOT', 'CAP_SYS_NICE', 'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME', 'CAP_SYS_TTY_CONFIG', 'CAP_MKNOD', 'CAP_LEASE', 'CAP_AUDIT_WRITE', 'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP', 'CAP_MAC_OVERRIDE', 'CAP_MAC_ADMIN', 'CAP_SYSLOG', 'CAP_WAKE_ALARM', 'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ', 'CAP_PERFMON', 'CAP_BPF', 'CAP_CHECKPOINT_RESTORE',
] as const;

export type Capability = typeof CAPABILITIES[number];

/** @throws {GrammarError} */
export function parseCapability(value: unknown): Capability {
  if (typeof value !== 'string') throw new GrammarError(`A capability is named by text, not ${show(value)}.`);
  const upper = value.toUpperCase();
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  const found = CAPABILITIES.find((capability) => capability === name);
  if (found !== undefined) return found;
  const nearest = nearestName(name, CAPABILITIES);
  throw new GrammarError(`${show(value)} is no capability; capabilities(7) lists them.`,
    nearest === undefined ? undefined : `Did you mean ${nearest}?`);
}

/** The set as the kernel holds it: bit n is capability n. */
export function capabilityMask(capabilities: readonly Capability[]): bigint {
  return capabilities.reduce((mask, capability) => mask | 1n << BigInt(CAPABILITIES.indexOf(capability)), 0n);
}
