/**
 * Protections: what Landlock grew after its first version, and from which ABI on.
 *
 * Each is strict unless the caller says otherwise: a kernel that lacks it is refused. A degradable one is
 * enforced where the kernel can, a disabled one never.
 * Documentation/userspace-api/landlock.rst, "Previous limitations".
 */

/** The name, the ABI version it came with, and what a program can do when it is not active. */
const table = {
  fsRefer: { abi: 2, without: 'renaming or linking a file into another directory always fails with EXDEV' },
  fsTruncate: { abi: 3, without: 'any file that the user may write can be truncated, also outside the grants' },
  netTcp: { abi: 4, without: 'the kernel does not gate TCP; without rules the filter refuses TCP sockets instead' },
  fsIoctlDev: { abi: 5, without: 'every ioctl works on every device that can be opened' },
  signalScope: { abi: 6, without: 'processes of the same user outside the sandbox can be signalled' },
  abstractUnixSocketScope: { abi: 6, without: 'abstract UNIX sockets of the host can be connected to' },
} as const;

export type Protection = keyof typeof table;

export const PROTECTIONS = Object.keys(table) as readonly Protection[];

/** What was asked for. */
export type ProtectionMode = 'strict' | 'degradable' | 'disabled';

/** What came of it: enforced; left out because the kernel lacks it; left out as asked; needed and not to be had. */
export type ProtectionStatus = 'active' | 'degraded' | 'disabled' | 'unavailable';

/** The Landlock ABI version that a protection came with. */
export function requiredAbi(protection: Protection): number {
  return table[protection].abi;
}

/** What a program can do where this protection is not active. */
export function withoutProtection(protection: Protection): string {
  return table[protection].without;
}

/** The Landlock ABI version that has all of them: Linux 6.12. */
export const MIN_LANDLOCK_ABI = Math.max(...PROTECTIONS.map(requiredAbi));

/** As flags and messages spell it: `fs-refer`. */
export function protectionFlagName(protection: Protection): string {
  return protection.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
