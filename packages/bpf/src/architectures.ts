/**
 * Architectures: audit numbers, and which one a Node.js process runs on.
 *
 * A syscall number means nothing without its architecture: i386's 4 is write, x86_64's 4 is stat. A filter
 * looks at `seccomp_data.arch` first, always. seccomp(2), "struct seccomp_data".
 */
import { FilterError } from './filter-error.js';
import { showValue } from './show-value.js';
import { type Arch } from './tables/syscall-table.js';

/** Values of `seccomp_data.arch`, from include/uapi/linux/audit.h. x32 has no number of its own. */
export const AUDIT_ARCH: Readonly<Record<Arch, number>> = {
  x86_64: 0xc000003e,
  x32: 0xc000003e,
  i386: 0x40000003,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
  riscv64: 0xc00000f3,
};

/** Bit 30 of nr marks an x32 call under AUDIT_ARCH_X86_64. arch/x86/include/uapi/asm/unistd.h. */
export const X32_SYSCALL_BIT = 0x40000000;

export const ARCHES = Object.keys(AUDIT_ARCH) as readonly Arch[];

export function isArch(value: unknown): value is Arch {
  return typeof value === 'string' && Object.hasOwn(AUDIT_ARCH, value);
}

/**
 * The architecture behind `process.arch`.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_ARCH for one that has no table here
 */
export function nativeArch(nodeArch: string): Arch {
  const arches: Record<string, Arch> = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64', ia32: 'i386', arm: 'arm' };
  const arch = Object.hasOwn(arches, nodeArch) ? arches[nodeArch] : undefined;
  if (arch === undefined) {
    throw new FilterError('ERR_SANDLOCK_FILTER_ARCH',
      `There is no syscall table for process.arch ${showValue(nodeArch)}; known are ${Object.keys(arches).join(', ')}.`);
  }
  return arch;
}

/**
 * The architecture a `seccomp_data` belongs to, or undefined for an audit number without a table.
 * Every nr from bit 30 on is x32's, as the kernel's own in_x32_syscall() has it.
 */
export function archOf(auditArch: number, nr: number): Arch | undefined {
  if (auditArch >>> 0 === AUDIT_ARCH.x86_64) return nr >>> 0 >= X32_SYSCALL_BIT ? 'x32' : 'x86_64';
  return ARCHES.find((arch) => AUDIT_ARCH[arch] === auditArch >>> 0);
}
