/**
 * The kernel's constant-allow cache.
 *
 * Since Linux 5.11 the kernel looks, when a filter is installed, for calls that it allows whatever the
 * arguments are, and never runs the filter for them again. It runs the program by a small emulator of its
 * own, which gives up at the first load of anything but nr and arch, and at any arithmetic but a mask; so a
 * filter can be constant for a call and still not be seen to be. kernel/seccomp.c, seccomp_is_const_allow().
 */
import { SECCOMP_RET_ALLOW } from '../action.js';
import { AUDIT_ARCH } from '../architectures.js';
import { type Instruction, type Program } from '../instruction.js';
import { BPF_AND_K, BPF_JA, BPF_JEQ_K, BPF_JGE_K, BPF_JGT_K, BPF_JSET_K, BPF_LD_W_ABS, BPF_RET_K } from '../opcodes.js';
import { validInstructions } from '../program/validate.js';
import { ARCH_OFFSET, NR_OFFSET } from '../seccomp-data.js';
import { type Arch, type SyscallTable } from '../tables/syscall-table.js';

/**
 * Whether the kernel will skip the program for this call. x32 calls are never cached: the bitmaps end at
 * the last native number.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID for a program that the kernel would refuse
 */
export function isConstantAllow(program: Program, arch: Arch, nr: number): boolean {
  return arch !== 'x32' && emulate(validInstructions(program), nr, AUDIT_ARCH[arch]);
}

/** The names in a table for which the kernel will skip the program. */
export function constantAllows(program: Program, table: SyscallTable): string[] {
  if (table.arch === 'x32') return [];
  const instructions = validInstructions(program);
  return Object.entries(table.numbers).filter(([, nr]) => emulate(instructions, nr, table.auditArch)).map(([name]) => name);
}

function emulate(instructions: readonly Instruction[], nr: number, auditArch: number): boolean {
  let a = 0;
  for (let pc = 0; ; pc++) {
    const { code, jt, jf, k } = instructions[pc]!;
    switch (code) {
      case BPF_LD_W_ABS:
        if (k !== NR_OFFSET && k !== ARCH_OFFSET) return false;
        a = (k === NR_OFFSET ? nr : auditArch) >>> 0;
        break;
      case BPF_RET_K: return k === SECCOMP_RET_ALLOW;
      case BPF_JA: pc += k; break;
      case BPF_JEQ_K: pc += a === k ? jt : jf; break;
      case BPF_JGE_K: pc += a >= k ? jt : jf; break;
      case BPF_JGT_K: pc += a > k ? jt : jf; break;
      case BPF_JSET_K: pc += (a & k) !== 0 ? jt : jf; break;
      case BPF_AND_K: a = (a & k) >>> 0; break;
      default: return false;
    }
  }
}
