/**
 * The machine: runs a program over the sixteen words of a seccomp_data.
 *
 * It does what the kernel does with a classic program: 32-bit unsigned arithmetic, shifts by the low five
 * bits of X, a division by X = 0 ends the program with 0 (KILL_THREAD). Programs are decoded once into flat
 * arrays with absolute jump targets. net/core/filter.c, bpf_convert_filter().
 */
import { type Instruction } from '../instruction.js';
import {
  BPF_ADD_K, BPF_AND_K, BPF_DIV_K, BPF_JA, BPF_JEQ_K, BPF_JEQ_X, BPF_JGE_K, BPF_JGE_X, BPF_JGT_K, BPF_JGT_X, BPF_JSET_K,
  BPF_JSET_X, BPF_LD_IMM, BPF_LD_MEM, BPF_LD_W_ABS, BPF_LD_W_LEN, BPF_LDX_IMM, BPF_LDX_MEM, BPF_LDX_W_LEN, BPF_LSH_K,
  BPF_MEMWORDS, BPF_MUL_K, BPF_NEG, BPF_OR_K, BPF_RET_A, BPF_RET_K, BPF_RSH_K, BPF_ST, BPF_STX, BPF_SUB_K, BPF_TAX,
  BPF_TXA, BPF_X, BPF_XOR_K,
} from '../opcodes.js';
import { SECCOMP_DATA_SIZE } from '../seccomp-data.js';

/** Dense operation numbers, so that the switch below is a jump table. */
const enum Op {
  LoadWord, LoadImm, LoadMem, LoadXImm, LoadXMem, Store, StoreX, Jump, JumpEq, JumpGt, JumpGe, JumpSet,
  JumpEqX, JumpGtX, JumpGeX, JumpSetX, Ret, RetA, ToX, ToA, And, Or, Xor, Add, Sub, Mul, Div, Lsh, Rsh, Neg,
  AndX, OrX, XorX, AddX, SubX, MulX, DivX, LshX, RshX,
}

const operations = new Map<number, Op>([
  [BPF_LD_W_ABS, Op.LoadWord], [BPF_LD_W_LEN, Op.LoadImm], [BPF_LDX_W_LEN, Op.LoadXImm], [BPF_LD_IMM, Op.LoadImm],
  [BPF_LDX_IMM, Op.LoadXImm], [BPF_LD_MEM, Op.LoadMem], [BPF_LDX_MEM, Op.LoadXMem], [BPF_ST, Op.Store],
  [BPF_STX, Op.StoreX], [BPF_JA, Op.Jump], [BPF_JEQ_K, Op.JumpEq], [BPF_JGT_K, Op.JumpGt], [BPF_JGE_K, Op.JumpGe],
  [BPF_JSET_K, Op.JumpSet], [BPF_JEQ_X, Op.JumpEqX], [BPF_JGT_X, Op.JumpGtX], [BPF_JGE_X, Op.JumpGeX],
  [BPF_JSET_X, Op.JumpSetX], [BPF_RET_K, Op.Ret], [BPF_RET_A, Op.RetA], [BPF_TAX, Op.ToX], [BPF_TXA, Op.ToA],
  [BPF_AND_K, Op.And], [BPF_OR_K, Op.Or], [BPF_XOR_K, Op.Xor], [BPF_ADD_K, Op.Add], [BPF_SUB_K, Op.Sub],
  [BPF_MUL_K, Op.Mul], [BPF_DIV_K, Op.Div], [BPF_LSH_K, Op.Lsh], [BPF_RSH_K, Op.Rsh], [BPF_NEG, Op.Neg],
  [BPF_AND_K | BPF_X, Op.AndX], [BPF_OR_K | BPF_X, Op.OrX], [BPF_XOR_K | BPF_X, Op.XorX], [BPF_ADD_K | BPF_X, Op.AddX],
  [BPF_SUB_K | BPF_X, Op.SubX], [BPF_MUL_K | BPF_X, Op.MulX], [BPF_DIV_K | BPF_X, Op.DivX],
  [BPF_LSH_K | BPF_X, Op.LshX], [BPF_RSH_K | BPF_X, Op.RshX],
]);

export class Machine {
  readonly #ops: Uint8Array;
  /** k, as signed 32 bits; for a load the index of the word. */
  readonly #k: Int32Array;
  readonly #yes: Int32Array;
  readonly #no: Int32Array;
  readonly #memory = new Int32Array(BPF_MEMWORDS);

  /** @param instructions a program that validateProgram() finds nothing wrong with */
  constructor(instructions: readonly Instruction[]) {
    this.#ops = Uint8Array.from(instructions, ({ code }) => operations.get(code)!);
    this.#k = Int32Array.from(instructions, ({ code, k }) => code === BPF_LD_W_ABS ? k >> 2
      : code === BPF_LD_W_LEN || code === BPF_LDX_W_LEN ? SECCOMP_DATA_SIZE : k | 0);
    this.#yes = Int32Array.from(instructions, ({ code, jt, k }, i) => i + 1 + (code === BPF_JA ? k : jt));
    this.#no = Int32Array.from(instructions, ({ jf }, i) => i + 1 + jf);
  }

  /**
   * The 32-bit return value, unsigned.
   *
   * @param words seccomp_data as 32-bit words, sixteen of them from `start` on
   * @param path  gets the index of every instruction that runs
   */
  run(words: ArrayLike<number>, start = 0, path?: number[]): number {
    const ops = this.#ops;
    const operands = this.#k;
    const memory = this.#memory;
    let a = 0;
    let x = 0;
    // Every jump goes forward and the last instruction returns, so this ends.
    for (let pc = 0; ;) {
      if (path !== undefined) path.push(pc);
      const k = operands[pc]!;
      switch (ops[pc] as Op) {
        case Op.LoadWord: a = words[start + k]! | 0; pc++; break;
        case Op.JumpEq: pc = a === k ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.JumpGe: pc = a >>> 0 >= k >>> 0 ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.JumpGt: pc = a >>> 0 > k >>> 0 ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.JumpSet: pc = (a & k) !== 0 ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.Jump: pc = this.#yes[pc]!; break;
        case Op.Ret: return k >>> 0;
        case Op.And: a &= k; pc++; break;
        case Op.JumpEqX: pc = a === x ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.JumpGeX: pc = a >>> 0 >= x >>> 0 ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.JumpGtX: pc = a >>> 0 > x >>> 0 ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.JumpSetX: pc = (a & x) !== 0 ? this.#yes[pc]! : this.#no[pc]!; break;
        case Op.RetA: return a >>> 0;
        case Op.LoadImm: a = k; pc++; break;
        case Op.LoadMem: a = memory[k]!; pc++; break;
        case Op.LoadXImm: x = k; pc++; break;
        case Op.LoadXMem: x = memory[k]!; pc++; break;
        case Op.Store: memory[k] = a; pc++; break;
        case Op.StoreX: memory[k] = x; pc++; break;
        case Op.ToX: x = a; pc++; break;
        case Op.ToA: a = x; pc++; break;
        case Op.Or: a |= k; pc++; break;
        case Op.Xor: a ^= k; pc++; break;
        case Op.Add: a = (a + k) | 0; pc++; break;
        case Op.Sub: a = (a - k) | 0; pc++; break;
        case Op.Mul: a = Math.imul(a, k); pc++; break;
        case Op.Div: a = ((a >>> 0) / (k >>> 0)) | 0; pc++; break;
        case Op.Lsh: a <<= k; pc++; break;
        case Op.Rsh: a >>>= k; a |= 0; pc++; break;
        case Op.Neg: a = -a | 0; pc++; break;
        case Op.AndX: a &= x; pc++; break;
        case Op.OrX: a |= x; pc++; break;
        case Op.XorX: a ^= x; pc++; break;
        case Op.AddX: a = (a + x) | 0; pc++; break;
        case Op.SubX: a = (a - x) | 0; pc++; break;
        case Op.MulX: a = Math.imul(a, x); pc++; break;
        case Op.DivX:
          if (x === 0) return 0;
          a = ((a >>> 0) / (x >>> 0)) | 0; pc++; break;
        case Op.LshX: a <<= x; pc++; break;
        case Op.RshX: a >>>= x; a |= 0; pc++; break;
      }
    }
  }
}
