/**
 * Every way through a program, with what must hold to go it.
 *
 * The program runs over words that are not numbers yet. At a test of one of them both sides are followed,
 * each knowing more; a side on which no value is left is no way. Two ways never share a seccomp_data, and
 * together they have all of them. So what is said about the ways is said about every call there is.
 *
 * Followed are loads, masks, tests, scratch memory and arithmetic on constants, which is what compilers of
 * filters produce. A test of a computed value (a sum, a shift of a word) is refused, not guessed at.
 */
import { FilterError } from '../filter-error.js';
import { type Instruction, type Program } from '../instruction.js';
import {
  BPF_ADD_K, BPF_AND_K, BPF_DIV_K, BPF_JA, BPF_JEQ_K, BPF_JGE_K, BPF_JGT_K, BPF_JSET_K, BPF_LD_IMM, BPF_LD_MEM,
  BPF_LD_W_ABS, BPF_LD_W_LEN, BPF_LDX_IMM, BPF_LDX_MEM, BPF_LDX_W_LEN, BPF_LSH_K, BPF_MUL_K, BPF_NEG, BPF_OR_K, BPF_RET_A,
  BPF_RET_K, BPF_RSH_K, BPF_ST, BPF_STX, BPF_SUB_K, BPF_TAX, BPF_TXA, BPF_X, BPF_XOR_K,
} from '../opcodes.js';
import { validInstructions } from '../program/validate.js';
import { SECCOMP_DATA_SIZE } from '../seccomp-data.js';
import { anyWord, complement, MAX_WORD, type Ranges, restrict, type WordSet } from './word-set.js';

/** What is known of each of the sixteen words. */
export type Words = readonly WordSet[];

export interface Way {
  readonly words: Words;
  readonly value: number;
  readonly steps: number;
}

export const anyWords: Words = Array.from({ length: 16 }, () => anyWord);

const MAX_WAYS = 200_000;

type Value =
  | { readonly kind: 'number'; readonly value: number }
  /** A word of seccomp_data under a mask. */
  | { readonly kind: 'word'; readonly word: number; readonly mask: number }
  | { readonly kind: 'computed' };

interface Place {
  readonly pc: number;
  readonly steps: number;
  readonly a: Value;
  readonly x: Value;
  readonly memory: readonly Value[];
  readonly words: Words;
}

const zero: Value = { kind: 'number', value: 0 };
const number = (value: number): Value => ({ kind: 'number', value: value >>> 0 });

/**
 * All ways through a program, for calls within `words`.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID for a program that the kernel would refuse,
 *   ERR_SANDLOCK_FILTER_ANALYSIS for one that computes with arguments or has more than 200,000 ways
 */
export function explore(program: Program, words: Words = anyWords): Way[] {
  const instructions = validInstructions(program);
  const ways: Way[] = [];
  const todo: Place[] = [{ pc: 0, steps: 0, a: zero, x: zero, memory: [], words }];
  for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
    follow(instructions, place, todo, ways);
    if (ways.length > MAX_WAYS) {
      throw new FilterError('ERR_SANDLOCK_FILTER_ANALYSIS', `The program has more than ${MAX_WAYS} ways through it.`);
    }
  }
  return ways;
}

/** Runs to the next return, or to a test of a word, whose sides go onto the list. */
function follow(instructions: readonly Instruction[], place: Place, todo: Place[], ways: Way[]): void {
  let { pc, steps, a, x, memory } = place;
  const { words } = place;
  for (; ;) {
    const { code, jt, jf, k } = instructions[pc]!;
    steps++;
    switch (code) {
      case BPF_RET_K: ways.push({ words, value: k, steps }); return;
      case BPF_RET_A:
        if (a.kind !== 'number') throw beyond(pc, 'returns an argument');
        ways.push({ words, value: a.value, steps });
        return;
      case BPF_LD_W_ABS: a = { kind: 'word', word: k >> 2, mask: MAX_WORD }; break;
      case BPF_LD_W_LEN: a = number(SECCOMP_DATA_SIZE); break;
      case BPF_LDX_W_LEN: x = number(SECCOMP_DATA_SIZE); break;
      case BPF_LD_IMM: a = number(k); break;
      case BPF_LDX_IMM: x = number(k); break;
      case BPF_LD_MEM: a = memory[k]!; break;
      case BPF_LDX_MEM: x = memory[k]!; break;
      case BPF_ST: memory = stored(memory, k, a); break;
      case BPF_STX: memory = stored(memory, k, x); break;
      case BPF_TAX: x = a; break;
      case BPF_TXA: a = x; break;
      case BPF_JA: pc += k; break;
      default: {
        const operand = (code & BPF_X) !== 0 && code !== BPF_NEG ? x : number(k);
        const base = code & ~BPF_X;
        if (base !== BPF_JEQ_K && base !== BPF_JGT_K && base !== BPF_JGE_K && base !== BPF_JSET_K) {
          // The kernel ends a program that divides by X = 0, with 0 for its value.
          if (base === BPF_DIV_K && operand.kind !== 'number') throw beyond(pc, 'divides by an argument');
          if (base === BPF_DIV_K && operand.kind === 'number' && operand.value === 0) {
            ways.push({ words, value: 0, steps });
            return;
          }
          a = code === BPF_NEG ? negated(a) : computed(base, a, operand);
          break;
        }
        if (a.kind === 'computed' || operand.kind !== 'number') throw beyond(pc, 'tests a computed value');
        if (a.kind === 'number') {
          pc += holds(base, a.value, operand.value) ? jt : jf;
          break;
        }
        const mask = base === BPF_JSET_K ? (a.mask & operand.value) >>> 0 : a.mask;
        if (mask === 0) {
          pc += jf; // only a JSET gets here with no bit to test
          break;
        }
        const yes = passing(base, operand.value, mask);
        for (const [ranges, jump] of [[yes, jt], [complement(yes, mask), jf]] as const) {
          const left = ranges.length === 0 ? undefined : restrict(words[a.word]!, mask, ranges);
          if (left !== undefined) todo.push({ pc: pc + 1 + jump, steps, a, x, memory, words: words.with(a.word, left) });
        }
        return;
      }
    }
    pc++;
  }
}

/** The values under the mask that pass a test. */
function passing(op: number, k: number, mask: number): Ranges {
  if (op === BPF_JSET_K) return [1, mask];
  const from = op === BPF_JGT_K ? k + 1 : k;
  if (from > mask) return [];
  return op === BPF_JEQ_K ? [k, k] : [from, mask];
}

function holds(op: number, a: number, k: number): boolean {
  switch (op) {
    case BPF_JEQ_K: return a === k;
    case BPF_JGT_K: return a > k;
    case BPF_JGE_K: return a >= k;
    default: return (a & k) !== 0;
  }
}

function computed(op: number, a: Value, operand: Value): Value {
  if (operand.kind !== 'number') return { kind: 'computed' };
  const k = operand.value;
  if (op === BPF_AND_K && a.kind === 'word') {
    const mask = (a.mask & k) >>> 0;
    return mask === 0 ? zero : { ...a, mask };
  }
  if (a.kind !== 'number') return { kind: 'computed' };
  const value = a.value;
  switch (op) {
    case BPF_AND_K: return number(value & k);
    case BPF_OR_K: return number(value | k);
    case BPF_XOR_K: return number(value ^ k);
    case BPF_ADD_K: return number(value + k);
    case BPF_SUB_K: return number(value - k);
    case BPF_MUL_K: return number(Math.imul(value, k));
    case BPF_DIV_K: return number(Math.floor(value / k));
    case BPF_LSH_K: return number(value << k);
    case BPF_RSH_K: return number(value >>> k);
    default: return { kind: 'computed' };
  }
}

function negated(a: Value): Value {
  return a.kind === 'number' ? number(-a.value) : { kind: 'computed' };
}

function stored(memory: readonly Value[], k: number, value: Value): readonly Value[] {
  const next = [...memory];
  next[k] = value;
  return next;
}

function beyond(pc: number, what: string): FilterError {
  return new FilterError('ERR_SANDLOCK_FILTER_ANALYSIS', `The program ${what}, which this analysis does not follow.`,
    { path: `instructions[${pc}]` });
}
