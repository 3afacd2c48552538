/**
 * Variables that tell libraries not to take random numbers from the processor, where nobody can answer for it.
 *
 * OpenSSL has one, and takes the bits as they are in its own vector of what the processor can do: RDRAND and RDSEED. The
 * tunables of the GNU C library know neither instruction. OPENSSL_ia32cap(3)
 */
import type { Arch } from '@sandlock/bpf';

const X86_64: Readonly<Record<string, string>> = { OPENSSL_ia32cap: '~0x4000000000000000:~0x40000' };

/** Sets those that are not set. */
export function maskEntropy(environment: Record<string, string>, arch: Arch): void {
  if (arch !== 'x86_64') return;
  for (const [name, value] of Object.entries(X86_64)) environment[name] ??= value;
}
