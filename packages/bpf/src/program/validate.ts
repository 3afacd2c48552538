/**
 * The kernel's own checks, with reasons: seccomp(2) says EINVAL to all of these and no more.
 *
 * A program passes here exactly when the kernel takes it: net/core/filter.c, bpf_check_classic() with
 * check_load_and_stores(), then kernel/seccomp.c, seccomp_check_filter().
 */
import { FilterError } from '../filter-error.js';
import { type Instruction, instructionsOf, type Program } from '../instruction.js';
import {
  BPF_ADD_K, BPF_AND_K, BPF_DIV_K, BPF_JA, BPF_JEQ_K, BPF_JEQ_X, BPF_JGE_K, BPF_JGE_X, BPF_JGT_K, BPF_JGT_X, BPF_JSET_K,
  BPF_JSET_X, BPF_LD_IMM, BPF_LD_MEM, BPF_LD_W_ABS, BPF_LD_W_LEN, BPF_LDX_IMM, BPF_LDX_MEM, BPF_LDX_W_LEN, BPF_LSH_K,
  BPF_MAXINSNS, BPF_MEMWORDS, BPF_MUL_K, BPF_NEG, BPF_OR_K, BPF_RET_A, BPF_RET_K, BPF_RSH_K, BPF_ST, BPF_STX, BPF_SUB_K,
  BPF_TAX, BPF_TXA, BPF_X, BPF_XOR_K,
} from '../opcodes.js';
import { SECCOMP_DATA_SIZE } from '../seccomp-data.js';

export interface ProgramProblem {
  /** The instruction, or -1 for the program as a whole. */
  readonly index: number;
  readonly message: string;
}

const CONDITIONAL = new Set<number>(
  [BPF_JEQ_K, BPF_JEQ_X, BPF_JGT_K, BPF_JGT_X, BPF_JGE_K, BPF_JGE_X, BPF_JSET_K, BPF_JSET_X]);
const ARITHMETIC_K = [BPF_ADD_K, BPF_SUB_K, BPF_MUL_K, BPF_DIV_K, BPF_AND_K, BPF_OR_K, BPF_XOR_K, BPF_LSH_K, BPF_RSH_K];
const KNOWN = new Set<number>([
  ...CONDITIONAL, ...ARITHMETIC_K, ...ARITHMETIC_K.map((code) => code | BPF_X), BPF_NEG, BPF_JA, BPF_LD_W_ABS, BPF_LD_W_LEN,
  BPF_LDX_W_LEN, BPF_LD_IMM, BPF_LDX_IMM, BPF_LD_MEM, BPF_LDX_MEM, BPF_ST, BPF_STX, BPF_TAX, BPF_TXA, BPF_RET_K, BPF_RET_A,
]);

/** Everything for which the kernel would refuse the program; empty when it would take it. */
export function validateProgram(program: Program): ProgramProblem[] {
  const instructions = instructionsOf(program);
  const problems: ProgramProblem[] = [];
  const length = instructions.length;
  if (length === 0) problems.push({ index: -1, message: 'The program is empty.' });
  if (length > BPF_MAXINSNS) {
    problems.push({ index: -1, message: `${length} instructions; the kernel takes at most ${BPF_MAXINSNS} (BPF_MAXINSNS).` });
  }
  for (const [index, instruction] of instructions.entries()) {
    const message = instructionProblem(instruction, index, length);
    if (message !== undefined) problems.push({ index, message });
  }
  const last = instructions.at(-1);
  if (last !== undefined && last.code !== BPF_RET_K && last.code !== BPF_RET_A) {
    problems.push({ index: length - 1, message: 'The last instruction is not a return.' });
  }
  // Only where all jumps stay inside does it make sense to follow them.
  if (problems.length === 0) problems.push(...unstoredLoads(instructions));
  return problems;
}

/**
 * The instructions of a program that the kernel would take.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID with the first problem
 */
export function validInstructions(program: Program): readonly Instruction[] {
  const instructions = instructionsOf(program);
  const problem = validateProgram(instructions)[0];
  if (problem !== undefined) {
    throw new FilterError('ERR_SANDLOCK_FILTER_INVALID', `The kernel would refuse this program: ${problem.message}`,
      { path: problem.index < 0 ? undefined : `instructions[${problem.index}]` });
  }
  return instructions;
}

function instructionProblem({ code, jt, jf, k }: Instruction, index: number, length: number): string | undefined {
  if (!fits(code, 0xffff) || !fits(jt, 0xff) || !fits(jf, 0xff) || !fits(k, 0xffffffff)) {
    return 'A field does not fit into u16, u8, u8 and u32.';
  }
  if (!KNOWN.has(code)) return `Opcode 0x${code.toString(16)} is not for seccomp.`;
  const behind = length - index - 1; // instructions after this one
  if (code === BPF_JA && k >= behind) return `The jump by ${k} leaves the program.`;
  if (CONDITIONAL.has(code) && (jt >= behind || jf >= behind)) {
    return `The jump by ${Math.max(jt, jf)} leaves the program.`;
  }
  if (code === BPF_LD_W_ABS && (k % 4 !== 0 || k >= SECCOMP_DATA_SIZE)) {
    return `${k} is no offset of a word in seccomp_data: a multiple of 4 below ${SECCOMP_DATA_SIZE}.`;
  }
  if (code === BPF_DIV_K && k === 0) return 'A division by zero.';
  if ((code === BPF_LSH_K || code === BPF_RSH_K) && k >= 32) return `A shift by ${k}; a word has 32 bits.`;
  if ((code === BPF_LD_MEM || code === BPF_LDX_MEM || code === BPF_ST || code === BPF_STX) && k >= BPF_MEMWORDS) {
    return `There is no memory word ${k}; there are ${BPF_MEMWORDS}.`;
  }
  return undefined;
}

/** Loads from memory words that some path to them has not stored. */
function unstoredLoads(instructions: readonly Instruction[]): ProgramProblem[] {
  const problems: ProgramProblem[] = [];
  // Per instruction a bit for each word stored on every path that jumps there.
  const atJump = new Uint16Array(instructions.length).fill(0xffff);
  let stored = 0;
  for (const [index, { code, jt, jf, k }] of instructions.entries()) {
    stored &= atJump[index]!;
    if (code === BPF_ST || code === BPF_STX) {
      stored |= 1 << k;
    } else if ((code === BPF_LD_MEM || code === BPF_LDX_MEM) && (stored & (1 << k)) === 0) {
      problems.push({ index, message: `Memory word ${k} is loaded where not every path has stored it.` });
    } else if (code === BPF_JA) {
      atJump[index + 1 + k]! &= stored;
      stored = 0xffff; // nothing falls through; what comes next is reached by jumps alone
    } else if (CONDITIONAL.has(code)) {
      atJump[index + 1 + jt]! &= stored;
      atJump[index + 1 + jf]! &= stored;
      stored = 0xffff;
    }
  }
  return problems;
}

function fits(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
