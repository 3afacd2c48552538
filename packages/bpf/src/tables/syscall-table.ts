/**
 * The shape of a syscall table: one module per architecture, so that a bundle carries only those it names.
 */

/** The architectures with a table here. x32 shares x86_64's audit number and is told apart by bit 30 of nr. */
export type Arch = 'x86_64' | 'x32' | 'i386' | 'aarch64' | 'arm' | 'riscv64';

export interface SyscallTable {
  readonly arch: Arch;
  /** AUDIT_ARCH_*: what the kernel puts into `seccomp_data.arch`. */
  readonly auditArch: number;
  /** Version of the kernel whose headers the numbers come from. */
  readonly kernel: string;
  /** Names as in `__NR_<name>`; two names may share a number. x32 numbers include bit 30. */
  readonly numbers: Readonly<Record<string, number>>;
}
