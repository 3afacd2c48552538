/**
 * Disassembler: a program as text, with names where what the accumulator holds is known.
 *
 * Jumps only go forward, so one pass over the program sees every way to an instruction before it comes to
 * it. Where all ways agree that the accumulator holds nr, and under which architecture, a compared number
 * gets its syscall's name.
 */
import { showAction } from '../action.js';
import { archOf, AUDIT_ARCH, X32_SYSCALL_BIT } from '../architectures.js';
import { type Instruction, instructionsOf, type Program } from '../instruction.js';
import {
  BPF_ADD_K, BPF_AND_K, BPF_DIV_K, BPF_JA, BPF_JEQ_K, BPF_JGE_K, BPF_JGT_K, BPF_JSET_K, BPF_LD_IMM, BPF_LD_MEM,
  BPF_LD_W_ABS, BPF_LD_W_LEN, BPF_LDX_IMM, BPF_LDX_MEM, BPF_LDX_W_LEN, BPF_LSH_K, BPF_MUL_K, BPF_NEG, BPF_OR_K, BPF_RET_A,
  BPF_RET_K, BPF_RSH_K, BPF_ST, BPF_STX, BPF_SUB_K, BPF_TAX, BPF_TXA, BPF_X, BPF_XOR_K,
} from '../opcodes.js';
import { nameIn } from '../tables/lookup.js';
import { type SyscallTable } from '../tables/syscall-table.js';

export interface DisassembledInstruction {
  readonly index: number;
  readonly instruction: Instruction;
  /** `L7` where something jumps here. */
  readonly label: string | undefined;
  /** `jeq  openat (257)  -> L7, else L9` */
  readonly text: string;
  /** Where it goes from here; none for a return. */
  readonly targets: readonly number[];
}

/**
 * The instructions of a program of any origin, also of one that the kernel would refuse.
 *
 * @param options.tables for the names of system calls
 * @throws {FilterError} ERR_SANDLOCK_FILTER_BYTES
 */
export function disassemble(program: Program, options: { readonly tables: readonly SyscallTable[] }): DisassembledInstruction[] {
  const instructions = instructionsOf(program);
  const targets = instructions.map(targetsOf);
  const labelled = new Set(instructions.flatMap(({ code }, i) => isTest(code) || code === BPF_JA ? targets[i]! : []));
  const contexts = contextsOf(instructions, targets);
  return instructions.map((instruction, index) => ({
    index,
    instruction,
    label: labelled.has(index) ? `L${index}` : undefined,
    text: textOf(instruction, index, contexts[index], options.tables),
    targets: targets[index]!,
  }));
}

/** {@link disassemble} as lines: address, label, text. */
export function formatProgram(program: Program, options: { readonly tables: readonly SyscallTable[] }): string {
  return disassemble(program, options)
    .map(({ index, label, text }) => `${String(index).padStart(4, '0')}  ${(label === undefined ? '' : `${label}:`).padEnd(7)}${text}\n`)
    .join('');
}

/** What is known on arrival at an instruction. */
interface Context {
  /** What was loaded last: `nr`, `arch`, or something else. */
  readonly loaded: string | undefined;
  readonly auditArch: number | undefined;
}

function contextsOf(instructions: readonly Instruction[], targets: readonly (readonly number[])[]): (Context | undefined)[] {
  const contexts: (Context | undefined)[] = [{ loaded: undefined, auditArch: undefined }];
  for (const [i, { code, k }] of instructions.entries()) {
    const before = contexts[i];
    if (before === undefined) continue; // nothing leads here
    const after: Context = code === BPF_LD_W_ABS ? { ...before, loaded: wordName(k) }
      : changesAccumulator(code) ? { ...before, loaded: undefined } : before;
    for (const [side, target] of targets[i]!.entries()) {
      const passed = code === BPF_JEQ_K && side === 0 && before.loaded === 'arch' ? { ...after, auditArch: k } : after;
      contexts[target] = target in contexts && contexts[target] !== undefined ? agreed(contexts[target], passed) : passed;
    }
  }
  return contexts;
}

function agreed(a: Context, b: Context): Context {
  return {
    loaded: a.loaded === b.loaded ? a.loaded : undefined,
    auditArch: a.auditArch === b.auditArch ? a.auditArch : undefined,
  };
}

function targetsOf({ code, jt, jf, k }: Instruction, i: number): number[] {
  if (code === BPF_RET_K || code === BPF_RET_A) return [];
  if (code === BPF_JA) return [i + 1 + k];
  return isTest(code) ? [i + 1 + jt, i + 1 + jf] : [i + 1];
}

const TESTS: ReadonlyMap<number, string> = new Map<number, string>(
  [[BPF_JEQ_K, 'jeq'], [BPF_JGT_K, 'jgt'], [BPF_JGE_K, 'jge'], [BPF_JSET_K, 'jset']]);
const ARITHMETIC: ReadonlyMap<number, string> = new Map<number, string>([
  [BPF_ADD_K, 'add'], [BPF_SUB_K, 'sub'], [BPF_MUL_K, 'mul'], [BPF_DIV_K, 'div'], [BPF_AND_K, 'and'], [BPF_OR_K, 'or'],
  [BPF_XOR_K, 'xor'], [BPF_LSH_K, 'lsh'], [BPF_RSH_K, 'rsh'],
]);

const isTest = (code: number): boolean => TESTS.has(code & ~BPF_X);

function changesAccumulator(code: number): boolean {
  return ARITHMETIC.has(code & ~BPF_X) || [BPF_NEG, BPF_TXA, BPF_LD_IMM, BPF_LD_MEM, BPF_LD_W_LEN].includes(code);
}

function wordName(offset: number): string {
  if (offset === 0) return 'nr';
  if (offset === 4) return 'arch';
  const half = offset % 8 === 0 ? 'low' : 'high';
  if (offset % 4 !== 0 || offset >= 64) return `[${offset}]`;
  return offset < 16 ? `instructionPointer.${half}` : `args[${(offset - 16) >> 3}].${half}`;
}

function textOf({ code, jt, jf, k }: Instruction, i: number, context: Context | undefined, tables: readonly SyscallTable[]): string {
  const line = (operation: string, operand: string): string => `${operation.padEnd(5)}${operand}`.trimEnd();
  switch (code) {
    case BPF_RET_K: return line('ret', showAction(k));
    case BPF_RET_A: return line('ret', 'a');
    case BPF_LD_W_ABS: return line('ld', wordName(k));
    case BPF_LD_W_LEN: return line('ld', 'len');
    case BPF_LDX_W_LEN: return line('ldx', 'len');
    case BPF_LD_IMM: return line('ld', number(k));
    case BPF_LDX_IMM: return line('ldx', number(k));
    case BPF_LD_MEM: return line('ld', `m[${k}]`);
    case BPF_LDX_MEM: return line('ldx', `m[${k}]`);
    case BPF_ST: return line('st', `m[${k}]`);
    case BPF_STX: return line('stx', `m[${k}]`);
    case BPF_TAX: return line('tax', '');
    case BPF_TXA: return line('txa', '');
    case BPF_NEG: return line('neg', '');
    case BPF_JA: return line('ja', `-> L${i + 1 + k}`);
    default: {
      const withX = (code & BPF_X) !== 0;
      const test = TESTS.get(code & ~BPF_X);
      if (test !== undefined) {
        const operand = withX ? 'x' : test === 'jset' ? hex(k) : compared(k, context, tables);
        return line(test, `${operand}  -> L${i + 1 + jt}, else L${i + 1 + jf}`);
      }
      const operation = ARITHMETIC.get(code & ~BPF_X);
      if (operation !== undefined) return line(operation, withX ? 'x' : hex(k));
      return `0x${code.toString(16)} jt ${jt} jf ${jf} k ${hex(k)}  (no opcode of seccomp)`;
    }
  }
}

/** A compared value by the name that it has for what was loaded. */
function compared(k: number, context: Context | undefined, tables: readonly SyscallTable[]): string {
  if (context?.loaded === 'arch') {
    const arch = Object.entries(AUDIT_ARCH).find(([, audit]) => audit === k)?.[0];
    return arch === undefined ? hex(k) : `${arch} (${hex(k)})`;
  }
  if (context?.loaded !== 'nr') return number(k);
  const arch = context.auditArch === undefined ? undefined : archOf(context.auditArch, k);
  const table = tables.find((one) => one.arch === arch);
  const name = table === undefined ? undefined : nameIn(table, k);
  const shown = k >= X32_SYSCALL_BIT ? hex(k) : String(k);
  return name === undefined ? shown : `${name} (${shown})`;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const number = (value: number): string => value < 4096 ? String(value) : hex(value);
